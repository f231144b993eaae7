"""The kinds of mail in words, for staff. A kind is the name of a template in templates/mail/."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "changed_by_staff": _("account changed by staff"),
    "closed": _("an invitation is needed"),
    "code_failed": _("wrong codes entered"),
    "deleted": _("account deleted"),
    "disowned": _("new password after “this was not me”"),
    "email_changed": _("email address changed"),
    "email_code": _("code for a new email address"),
    "email_restored": _("email address restored"),
    "email_taken": _("somebody entered this address"),
    "exported": _("data downloaded"),
    "google_connected": _("Google connected"),
    "google_disconnected": _("Google disconnected"),
    "guessed": _("wrong passwords entered"),
    "invite": _("invitation"),
    "invite_declined": _("invitation declined"),
    "invite_known": _("invitation to somebody with an account"),
    "invite_reminder": _("reminder of an invitation"),
    "link_known": _("link to sign in"),
    "link_new": _("link to sign up"),
    "new_device": _("sign-in on a new device"),
    "not_readdressed": _("invitation stays as it is"),
    "notices_off": _("emails about new devices turned off"),
    "password_changed": _("password changed"),
    "power_used": _("change made at the desk"),
    "readdress": _("invitation wanted at another address"),
    "recovery_code_used": _("recovery code used"),
    "recovery_codes": _("new recovery codes"),
    "register": _("link to confirm an account"),
    "reset": _("link for a new password"),
    "reset_unknown": _("no account with this address"),
    "second_factor_off": _("two-step verification turned off"),
    "second_factor_on": _("two-step verification turned on"),
    "test_mail": _("test mail"),
    "username_changed": _("username changed"),
}


def in_words(kind: str) -> str:
    """Returns a kind of mail in the active language, or as it is if it is none of WORDS."""
    return str(WORDS.get(kind, kind))
