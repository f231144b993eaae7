"""The doors of allauth.headless that are open, at its documented addresses; all others answer 404."""

from django.urls import path

from accounts.headless import code, devices, email, google, password, second_factor, session
from invites.headless import google as visits
from invites.headless import reset

urlpatterns = [
    path("config", session.Config.view()),
    path("auth/session", session.Session.view()),
    path("auth/login", session.Login.view()),
    path("auth/signup", session.Signup.view()),
    path("auth/2fa/authenticate", code.Code.view()),
    path("auth/reauthenticate", password.Proof.view()),
    path("auth/password/request", reset.RequestReset.view()),
    path("auth/password/reset", reset.Reset.view()),
    path("auth/email/verify", email.Code.view()),
    path("auth/email/verify/resend", email.AnotherCode.view()),
    path("auth/provider/redirect", visits.Visit.view()),
    path("auth/sessions", devices.Sessions.view()),
    path("account/password/change", password.Password.view()),
    path("account/email", email.Address.view()),
    path("account/providers", google.Providers.view()),
    path("account/authenticators", second_factor.Authenticators.view()),
    path("account/authenticators/totp", second_factor.App.view()),
    path("account/authenticators/recovery-codes", second_factor.RecoveryCodes.view()),
]
