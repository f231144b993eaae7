"""The whole site on one screen."""

from django.conf import settings
from django.contrib import admin
from django.urls import path

from accounts import views as accounts
from config import views as config
from invites import views as invites
from mail import views as mail

urlpatterns = [
    path("", invites.entry, name="entry"),
    path("invite/sent", invites.sent, name="invite_sent"),
    path("signup", invites.signup, name="account_signup"),
    path("confirm", invites.confirm, name="invite_confirm"),
    path("owner", invites.owner, name="owner"),
    path("login", accounts.login, name="account_login"),
    path("logout", accounts.logout, name="account_logout"),
    path("logout/here", accounts.logout_here, name="account_logout_here"),
    path("account", accounts.account, name="account"),
    path("language", accounts.language, name="language"),
    path("healthz", config.healthz, name="healthz"),
    path("readyz", config.readyz, name="readyz"),
    path("admin/", admin.site.urls),
]

if settings.DEV_MAILBOX:
    urlpatterns += [
        path("dev/mail/", mail.mailbox, name="dev_mail"),
        path("dev/mail/<str:name>", mail.letter, name="dev_mail_item"),
        path("dev/mail/<str:name>/html", mail.letter_html, name="dev_mail_html"),
    ]

handler400 = config.bad_request
handler403 = config.forbidden
handler404 = config.not_found
handler500 = config.server_error
