"""The doors of allauth.headless that are open, at its documented addresses; all others answer 404."""

from django.urls import path

from accounts.api import email_change, google_account, headless, login_code, password, second_factor, sessions
from invites.api import google_login, reset_password

urlpatterns = [
    path("config", headless.Config.view()),
    path("auth/session", headless.Session.view()),
    path("auth/login", headless.Login.view()),
    path("auth/signup", headless.Signup.view()),
    path("auth/2fa/authenticate", login_code.Code.view()),
    path("auth/reauthenticate", password.Proof.view()),
    path("auth/password/request", reset_password.RequestReset.view()),
    path("auth/password/reset", reset_password.Reset.view()),
    path("auth/email/verify", email_change.Code.view()),
    path("auth/email/verify/resend", email_change.AnotherCode.view()),
    path("auth/provider/redirect", google_login.Visit.view()),
    path("auth/sessions", sessions.Sessions.view()),
    path("account/password/change", password.Password.view()),
    path("account/email", email_change.Address.view()),
    path("account/providers", google_account.Providers.view()),
    path("account/authenticators", second_factor.Authenticators.view()),
    path("account/authenticators/totp", second_factor.App.view()),
    path("account/authenticators/recovery-codes", second_factor.RecoveryCodes.view()),
]
