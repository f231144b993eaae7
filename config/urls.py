"""The site map: every URL of the site, and the views for errors."""

from django.conf import settings
from django.contrib import admin
from django.urls import path

from accounts.api import account as api_account
from accounts.api import email_change as api_email_change
from accounts.api import google as api_google_account
from accounts.api import keep as api_keep
from accounts.api import login as api_login
from accounts.api import password as api_password
from accounts.api import proof as api_proof
from accounts.api import recovery_codes as api_recovery_codes
from accounts.api import second_factor as api_second_factor
from accounts.api import sessions as api_sessions
from accounts.email_change import pages as email_change
from accounts.gate import pages as gate
from accounts.google import pages as google_account
from accounts.password import hashers
from accounts.password.pages import change as password_change
from accounts.password.pages import login as password_login
from accounts.password.pages import prolong, still_you
from accounts.privacy import pages as privacy
from accounts.profile.pages import account, preferences, profile, username
from accounts.second_factor.pages import login as code_login
from accounts.second_factor.pages import recovery_codes
from accounts.second_factor.pages import setup as second_factor
from accounts.session.pages import devices, logout, onward
from config import loading, openapi
from config.edge import pages as edge
from config.edge.security_txt import security_txt
from invites.api import as_me as api_as_me
from invites.api import config as api_config
from invites.api import confirm as api_confirm
from invites.api import google as api_google
from invites.api import join_requests as api_join_requests
from invites.api import keep as api_keep_link
from invites.api import links as api_links
from invites.api import relay as api_relay
from invites.api import reset_password as api_reset
from invites.api import sign_up as api_sign_up
from invites.ask_for_link.pages import ask as ask_for_link
from invites.ask_for_link.pages import wait
from invites.google import pages as google
from invites.join_requests import pages as join_requests
from invites.link.pages import as_me, confirm, decline, disown, into_groups, keep, not_me, readdress
from invites.members import pages as members
from invites.reset_password import pages as reset_password
from invites.sign_up import pages as sign_up
from kit.json_door import by_method
from kit.page import DESK
from outbox.dev_mailbox import pages as dev_mailbox
from outbox.mail import lateness
from sso.api import apps as api_apps
from sso.authorize import pages as authorize
from sso.connected import pages as connected
from sso.discovery import pages as discovery
from sso.launch import pages as launch
from sso.sign_out import pages as app_sign_out
from sso.tokens.pages import introspect, revoke, token, userinfo
from sso.verify import pages as verify

urlpatterns = [
    path("", ask_for_link.entry, name="entry"),
    path("invite/sent", wait.sent, name="invite_sent"),
    path("invite/sent/code", wait.code, name="invite_sent_code"),
    path("invite/sent/state", wait.state, name="invite_sent_state"),
    path("ask", join_requests.ask, name="ask"),
    path("ask/confirm", join_requests.confirm, name="ask_confirm"),
    path("ask/take-back", join_requests.take_back, name="ask_take_back"),
    path("signup", sign_up.signup, name="account_signup"),
    path("confirm", confirm.confirm, name="invite_confirm"),
    path("owner", sign_up.owner, name="owner"),
    path("reset", ask_for_link.reset, name="account_reset_password"),
    path("reset/password", reset_password.choose, name="account_reset_password_from_key"),
    path("invite/groups/<uuid:pk>", into_groups.signed_in, name="invite_into_groups"),
    path("invite/decline", decline.decline, name="invite_decline"),
    path("invite/decline/now", decline.one_click, name="invite_one_click"),
    path("invite/decline/undo", decline.write_again, name="invite_write_again"),
    path("invite/readdress", readdress.ask, name="invite_readdress_ask"),
    path("invite/readdress/answer", readdress.approve, name="invite_readdress"),
    path("invite/readdress/decline", readdress.decline, name="invite_readdress_decline"),
    path("invite/as-me", as_me.ask, name="invite_as_me"),
    path("invite/as-me/code", as_me.code, name="invite_as_me_code"),
    path("invite/not-asked", disown.disown, name="invite_not_asked"),
    path("not-me", not_me.not_me, name="not_me"),
    path("login", password_login.login, name="account_login"),
    path("login/again", still_you.ask, name="account_login_again"),
    path("login/again/google", google_account.again, name="account_google_again"),
    path("google", google.start, name="google_login"),
    path("google/outcome", google.outcome, name="google_outcome"),
    path("onward", onward.onward, name="onward"),
    path("logout", logout.logout, name="account_logout"),
    path("logout/here", logout.logout_here, name="account_logout_here"),
    path("account", account.account, name="account"),
    path("account/prove", ask_for_link.prove, name="account_prove"),
    path("account/sessions/end", devices.end, name="session_end"),
    path("account/sessions/prolong", prolong.prolong, name="session_prolong"),
    path("account/invites", members.invites, name="member_invites"),
    path("account/invites/resend", members.resend, name="member_invite_resend"),
    path("account/invites/withdraw", members.withdraw, name="member_invite_withdraw"),
    path("account/settings", preferences.choose, name="account_settings"),
    path("account/complete", gate.complete, name="account_complete"),
    path("account/profile", profile.change, name="account_profile"),
    path("account/username", username.change, name="account_change_username"),
    path("account/password", password_change.change, name="account_change_password"),
    path("account/email", email_change.ask, name="account_email"),
    path("account/email/code", email_change.code, name="account_email_code"),
    path("account/google", google_account.connect, name="account_google"),
    path("account/google/off", google_account.disconnect, name="account_google_disconnect"),
    path("account/export", privacy.export, name="account_export"),
    path("account/delete", privacy.delete, name="account_delete"),
    path("login/code", code_login.authenticate, name="mfa_authenticate"),
    path("login/code/abandon", code_login.abandon, name="mfa_abandon"),
    path("login/keep", gate.keep, name="account_keep"),
    path("keep", keep.keep, name="leaving_keep"),
    path("account/second-factor", second_factor.overview, name="second_factor"),
    path("account/second-factor/app", second_factor.app, name="second_factor_app"),
    path("account/second-factor/browsers", second_factor.browsers, name="second_factor_browsers"),
    path("account/second-factor/codes", recovery_codes.codes, name="second_factor_codes"),
    path("account/second-factor/codes.txt", recovery_codes.download, name="second_factor_codes_file"),
    path("account/second-factor/off", second_factor.off, name="second_factor_off"),
    path("auth/verify", verify.verify, name="auth_verify"),
    path("language", preferences.language, name="language"),
    path(".well-known/change-password", password_change.well_known),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path("api/v1/config", api_config.show),
    path("api/v1/invite", api_links.invite),
    path("api/v1/ask", api_join_requests.ask),
    path("api/v1/ask/confirm", api_join_requests.confirm),
    path("api/v1/ask/take-back", api_join_requests.take_back),
    path("api/v1/invite/as-me", api_as_me.ask),
    path("api/v1/invite/as-me/code", api_as_me.code),
    path("api/v1/auth/create", api_sign_up.create, name="api_create"),
    path("api/v1/auth/confirm", api_confirm.confirm, name="api_confirm"),
    path("api/v1/auth/relay", api_relay.show),
    path("api/v1/auth/relay/code", api_relay.code),
    path("api/v1/auth/relay/not-asked", api_relay.disown),
    path("api/v1/auth/login", by_method(POST=api_login.login, DELETE=api_login.give_up)),
    path("api/v1/auth/login/code", api_login.code, name="api_login_code"),
    path("api/v1/auth/keep", by_method(POST=api_keep.keep, DELETE=api_keep.leave), name="api_keep"),
    path("api/v1/auth/keep/link", api_keep_link.keep),
    path("api/v1/auth/logout", api_login.logout),
    path("api/v1/auth/session", api_sessions.current),
    path("api/v1/auth/sessions", api_sessions.list_sessions),
    path("api/v1/auth/sessions/<slug:handle>", api_sessions.end),
    path("api/v1/auth/proof", api_proof.give, name="api_proof"),
    path("api/v1/auth/proof/link", api_links.prove, name="api_proof_link"),
    path("api/v1/auth/reset", api_links.reset),
    path("api/v1/auth/reset/check", api_reset.check),
    path("api/v1/auth/reset/password", api_reset.save, name="api_reset_save"),
    path("api/v1/auth/google", api_google.start),
    path("api/v1/auth/google/response", google.response, name="google_callback"),
    path("api/v1/account", by_method(GET=api_account.show, PATCH=api_account.change, DELETE=api_account.delete)),
    path("api/v1/account/password", api_password.change),
    path(
        "api/v1/account/email-change",
        by_method(GET=api_email_change.show, POST=api_email_change.ask, DELETE=api_email_change.cancel),
        name="api_email_change",
    ),
    path("api/v1/account/email-change/code", api_email_change.confirm),
    path("api/v1/account/email-change/again", api_email_change.again),
    path(
        "api/v1/account/second-factor",
        by_method(GET=api_second_factor.show, DELETE=api_second_factor.turn_off),
    ),
    path("api/v1/account/second-factor/setup", api_second_factor.begin, name="api_setup"),
    path("api/v1/account/second-factor/app", api_second_factor.turn_on),
    path(
        "api/v1/account/second-factor/recovery-codes",
        by_method(GET=api_recovery_codes.show, POST=api_recovery_codes.renew),
    ),
    path("api/v1/account/google", by_method(POST=api_google_account.connect, DELETE=api_google_account.disconnect)),
    # Apps behind the door (OpenID Connect)
    path(".well-known/openid-configuration", discovery.discovery, name="sso_discovery"),
    path(".well-known/oauth-authorization-server", discovery.discovery),
    path(".well-known/jwks.json", discovery.jwks, name="sso_jwks"),
    path("identity/o/authorize", authorize.authorize, name="sso_authorize"),
    path("identity/o/consent", authorize.consent, name="sso_consent"),
    path("identity/o/logout", app_sign_out.logout, name="sso_logout"),
    path("identity/o/logout/answer", app_sign_out.answered, name="sso_logout_answer"),
    path("identity/o/api/token", token.token, name="sso_token"),
    path("identity/o/api/userinfo", userinfo.userinfo, name="sso_userinfo"),
    path("identity/o/api/introspect", introspect.introspect, name="sso_introspect"),
    path("identity/o/api/revoke", revoke.revoke, name="sso_revoke"),
    path("api/v1/openapi.json", openapi.openapi),
    path("apps/<str:pk>", launch.launch, name="sso_app"),
    path("apps/<str:pk>/ask", launch.ask, name="sso_ask"),
    path("account/apps/disconnect", connected.disconnect, name="sso_disconnect"),
    path("api/v1/apps", api_apps.list_apps),
    path("api/v1/apps/<slug:pk>/connection", api_apps.disconnect),
    path("api/v1/apps/<slug:pk>/request", api_apps.ask),
    path("healthz", edge.healthz, name="healthz"),
    path("readyz", edge.readyz, {"mail_is_late": lateness.is_late, "hashes": hashers.waiting}, name="readyz"),
    path(DESK.removeprefix("/"), admin.site.urls),
]

# Pages of the operator's own apps: what is above comes first.
urlpatterns += [pages for app in settings.EXTRA_APPS for pages in loading.urls_of(app)]

if settings.DEV_MAILBOX:
    urlpatterns += [
        path("dev/mail/", dev_mailbox.mailbox, name="dev_mail"),
        path("dev/mail/<str:name>", dev_mailbox.letter, name="dev_mail_item"),
        path("dev/mail/<str:name>/html", dev_mailbox.letter_html, name="dev_mail_html"),
    ]

handler400 = edge.bad_request
handler403 = edge.forbidden
handler404 = edge.not_found
handler500 = edge.server_error
