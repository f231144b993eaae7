"""The pages of the site that people may meet, under headings, for whoever wants to see what they look like."""

from typing import NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import asking
from invites import who_may_join
from operations.desk import sample_pages

Words = str | Promise


class Page(NamedTuple):
    """What the list calls a page, and where it comes from: the template that made-up facts fill, or the name of a URL.

    A page by its URL is drawn by its own view. All other pages stand for what is stored of somebody, or typed.
    """

    words: Words
    template: str = ""
    url: str = ""


ENTER = {
    "entry": Page(gettext_lazy("Start"), url="entry"),
    "account_login": Page(gettext_lazy("Sign in with a password"), url="account_login"),
    "login-errors": Page(gettext_lazy("Sign in, with errors"), "accounts/password/login.html"),
    "login-code": Page(gettext_lazy("Second step of signing in"), "accounts/second_factor/login.html"),
    "account_reset_password": Page(gettext_lazy("Forgot your password"), url="account_reset_password"),
    "invite_sent": Page(gettext_lazy("Check your email"), url="invite_sent"),
    "account_signup": Page(gettext_lazy("Create an account"), url="account_signup"),
    "signup-errors": Page(gettext_lazy("Create an account, with errors"), "invites/sign_up/register.html"),
    "owner": Page(gettext_lazy("First account of the site"), "invites/sign_up/owner.html"),
    "gate": Page(gettext_lazy("Terms and details"), "accounts/gate/complete.html"),
    "google-start": Page(gettext_lazy("Continue with Google"), "invites/google/start.html"),
    "google-closed": Page(gettext_lazy("Google account without an invitation"), "invites/google/closed.html"),
    "google-unverified": Page(
        gettext_lazy("Google account without a proven address"), "invites/google/unverified.html"
    ),
    "keep": Page(gettext_lazy("Keep your account?"), "accounts/gate/keep.html"),
    "turned-off": Page(gettext_lazy("Account that is turned off"), "accounts/session/inactive.html"),
}
INVITATIONS = {
    "invitation": Page(gettext_lazy("Invitation"), "invites/sign_up/signup.html"),
    "groups": Page(gettext_lazy("Invitation into a group"), "invites/link/into_groups.html"),
    "groups-sign-in": Page(
        gettext_lazy("Invitation into a group, before signing in"), "invites/link/into_groups_sign_in.html"
    ),
    "wrong-account": Page(gettext_lazy("Invitation of somebody else"), "invites/link/wrong_account.html"),
    "as-me": Page(gettext_lazy("Code for an invitation of somebody else"), "invites/link/as_me.html"),
    "withdrawn": Page(gettext_lazy("Invitation that was withdrawn"), "invites/link/dead/revoked.html"),
    "turned-down": Page(gettext_lazy("Invitation that was declined"), "invites/link/dead/declined.html"),
    "closed": Page(gettext_lazy("Accounts are by invitation"), "invites/link/dead/closed.html"),
    "ask": Page(gettext_lazy("Ask to join"), "invites/join_requests/ask.html"),
    "ask-confirm": Page(gettext_lazy("Confirm a request to join"), "invites/join_requests/confirm.html"),
    "ask-done": Page(gettext_lazy("Request to join is in"), "invites/join_requests/done.html"),
    "ask-needless": Page(gettext_lazy("Request to join that is not needed"), "invites/join_requests/already_in.html"),
    "decline": Page(gettext_lazy("Decline an invitation"), "invites/link/decline.html"),
    "declined": Page(gettext_lazy("Declined"), "invites/link/declined.html"),
    "write-again": Page(gettext_lazy("May we write to you again?"), "invites/link/write_again.html"),
    "write-again-done": Page(gettext_lazy("We may write to you again"), "invites/link/write_again_done.html"),
    "readdress": Page(gettext_lazy("Another address is asked for"), "invites/link/readdress.html"),
    "readdress-asked": Page(gettext_lazy("Asked for another address"), "invites/link/readdress_asked.html"),
    "readdress-done": Page(gettext_lazy("Sent to another address"), "invites/link/readdress_done.html"),
    "readdress-over": Page(gettext_lazy("There is nothing left to answer"), "invites/link/readdress_over.html"),
}
LINKS = {
    "confirm": Page(gettext_lazy("Sign in by a link"), "invites/link/confirm.html"),
    "elsewhere": Page(gettext_lazy("Link opened in another browser"), "invites/link/elsewhere.html"),
    "not-asked": Page(gettext_lazy("Link that somebody else has asked for"), "invites/link/disown.html"),
    "expired": Page(gettext_lazy("Link that has expired"), "invites/link/dead/expired.html"),
    "used": Page(gettext_lazy("Link that was used"), "invites/link/dead/used.html"),
    "signed-in-since": Page(gettext_lazy("Link of before a sign-in"), "invites/link/dead/signed_in_since.html"),
    "ended": Page(gettext_lazy("Link that was ended"), "invites/link/dead/ended.html"),
    "broken": Page(gettext_lazy("A link that does not work"), "invites/link/dead/broken.html"),
    "owner-over": Page(gettext_lazy("This owner link no longer works"), "invites/link/dead/owner.html"),
    "password": Page(gettext_lazy("Choose a new password"), "invites/reset_password/choose.html"),
    "keep-by-link": Page(gettext_lazy("Keep your account, by a link"), "invites/link/keep.html"),
    "keep-broken": Page(gettext_lazy("Keep your account, by a broken link"), "invites/link/keep_broken.html"),
    "not-me": Page(gettext_lazy("Was this not you?"), "invites/link/not_me.html"),
    "not-me-done": Page(gettext_lazy("“This was not me” is done"), "invites/link/not_me_done.html"),
    "not-me-over": Page(gettext_lazy("“This was not me” comes too late"), "invites/link/not_me_over.html"),
    "not-me-broken": Page(gettext_lazy("“This was not me” is a broken link"), "invites/link/not_me_broken.html"),
    "not-me-failed": Page(gettext_lazy("We couldn’t bring the address back"), "invites/link/not_me_failed.html"),
}
ACCOUNT = {
    "home": Page(gettext_lazy("Signed in"), url="entry"),
    "onward": Page(gettext_lazy("On the way to an app"), "onward.html"),
    "account": Page(gettext_lazy("Account"), url="account"),
    "account_profile": Page(gettext_lazy("Name"), url="account_profile"),
    "account_settings": Page(gettext_lazy("Settings"), url="account_settings"),
    "account_change_username": Page(gettext_lazy("Username"), url="account_change_username"),
    "account_change_password": Page(gettext_lazy("Password"), url="account_change_password"),
    "account_email": Page(gettext_lazy("Address"), url="account_email"),
    "email-code": Page(gettext_lazy("Code for a new address"), "accounts/email_change/code.html"),
    "account_login_again": Page(gettext_lazy("Proof on the way to a page"), url="account_login_again"),
    "again": Page(gettext_lazy("Is it still you?"), "accounts/password/again.html"),
    "second_factor": Page(gettext_lazy("Two‑step verification"), url="second_factor"),
    "app": Page(pgettext_lazy("heading", "Set up two‑step verification"), "accounts/second_factor/app.html"),
    "recovery-codes": Page(gettext_lazy("Your recovery codes"), "accounts/second_factor/recovery_codes.html"),
    "new-recovery-codes": Page(gettext_lazy("New recovery codes"), "accounts/second_factor/new_recovery_codes.html"),
    "factor-off": Page(gettext_lazy("Turn off two‑step verification?"), "accounts/second_factor/off.html"),
    "google-connect": Page(gettext_lazy("Connect Google"), "accounts/google/connect.html"),
    "google-disconnect": Page(gettext_lazy("Disconnect Google?"), "accounts/google/disconnect.html"),
    "google-last": Page(gettext_lazy("Choose a password first"), "accounts/google/last_way_in.html"),
    "session_prolong": Page(gettext_lazy("Stay signed in"), url="session_prolong"),
    "member_invites": Page(gettext_lazy("Invitations"), url="member_invites"),
    "account_logout": Page(gettext_lazy("Sign out"), url="account_logout"),
    "account_delete": Page(gettext_lazy("Delete account"), url="account_delete"),
}
APPS = {
    "consent": Page(gettext_lazy("What an app will learn"), "sso/authorize/consent.html"),
    "no-access": Page(gettext_lazy("No access to an app yet"), "sso/no_access.html"),
    "app-refused": Page(gettext_lazy("App behind a proxy that lets nobody through"), "sso/verify/refused.html"),
    "app-unknown": Page(gettext_lazy("App that nobody knows"), "sso/authorize/unknown.html"),
    "app-sign-out": Page(gettext_lazy("Signing out that begins in an app"), "sso/sign_out/ask.html"),
}
ERRORS = {
    "400": Page(gettext_lazy("We couldn’t read what was sent"), "errors/400.html"),
    "403": Page(gettext_lazy("You can’t open this page"), "errors/403.html"),
    "404": Page(gettext_lazy("Page not found"), "errors/404.html"),
    "413": Page(gettext_lazy("That’s more than we can take at once"), "errors/413.html"),
    "415": Page(gettext_lazy("We can’t read that format"), "errors/415.html"),
    "csrf": Page(gettext_lazy("We haven’t used what you sent"), "errors/csrf.html"),
    "429": Page(gettext_lazy("Too many attempts"), "errors/429.html"),
    "500": Page(gettext_lazy("Sorry, there is a problem with the service"), "errors/500.html"),
    "503": Page(gettext_lazy("Sign-in is paused"), "errors/503.html"),
    "busy": Page(gettext_lazy("Many people are signing in"), "errors/busy.html"),
}

GROUPS: dict[Words, dict[str, Page]] = {
    gettext_lazy("Signing in and signing up"): ENTER,
    gettext_lazy("Invitations"): INVITATIONS,
    gettext_lazy("Links in mails"): LINKS,
    gettext_lazy("Account"): ACCOUNT,
    gettext_lazy("Apps"): APPS,
    gettext_lazy("Errors"): ERRORS,
}
PAGES = {name: page for group in GROUPS.values() for name, page in group.items()}


def offered() -> dict[Words, dict[str, Words]]:
    """Returns, under each heading, the words for each page that the site has with its settings, by its name."""
    return {
        heading: {name: page.words for name, page in group.items() if is_had(name)} for heading, group in GROUPS.items()
    }


def is_had(name: str) -> bool:
    """Returns whether the site has a page with its settings."""
    if name == "gate":
        return asking.is_asked(sample_pages.somebody())
    if name == "member_invites":
        return bool(settings.MEMBERS_INVITE)
    if name.startswith("ask"):
        return who_may_join.can_ask()
    return not name.startswith("google-") or bool(settings.GOOGLE_CLIENT_ID)
