"""The doors of allauth.headless that are open, at its documented addresses; all others answer 404."""

from django.urls import path

from accounts.headless import code, devices, email, password, second_factor, session
from invites import headless as invites

urlpatterns = [
    path("config", session.Config.view()),
    path("auth/session", session.Session.view()),
    path("auth/login", session.Login.view()),
    path("auth/signup", session.Signup.view()),
    path("auth/2fa/authenticate", code.Code.view()),
    path("auth/password/request", invites.RequestReset.view()),
    path("auth/password/reset", invites.Reset.view()),
    path("auth/reauthenticate", password.Proof.view()),
    path("account/password/change", password.Password.view()),
    path("account/email", email.Address.view()),
    path("auth/email/verify", email.Code.view()),
    path("auth/email/verify/resend", email.AnotherCode.view()),
    path("account/authenticators", second_factor.Authenticators.view()),
    path("account/authenticators/totp", second_factor.App.view()),
    path("account/authenticators/recovery-codes", second_factor.RecoveryCodes.view()),
    path("auth/sessions", devices.Sessions.view()),
]
