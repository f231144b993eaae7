"""The kinds of mail in words, for staff. A kind is the name of a template in templates/mail/."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "access_asked": _("Notice: somebody asks for access to an app"),
    "access_declined": _("Answer: no access to an app"),
    "changed_by_staff": _("Notice: staff changed the account"),
    "closed": _("Answer: accounts are by invitation"),
    "code_failed": _("Notice: wrong second‑step codes"),
    "deleted": _("Farewell: account deleted"),
    "disowned": _("Link to choose a password, after “this was not me”"),
    "email_changed": _("Notice of a changed address"),
    "email_code": _("Code for a new address"),
    "email_restored": _("Notice: address brought back"),
    "email_taken": _("Notice: address is in use"),
    "exported": _("Notice: data downloaded"),
    "google_connected": _("Notice: Google connected"),
    "google_disconnected": _("Notice: Google disconnected"),
    "guessed": _("Notice: many wrong passwords"),
    "invite": _("Invitation"),
    "invite_group": _("Invitation to a group"),
    "invite_known": _("Invitation to somebody with an account"),
    "invite_reminder": _("Reminder of an invitation"),
    "inviter_digest": _("Notice of what became of invitations"),
    "leaving": _("The way back for somebody who leaves"),
    "link_known": _("Link to sign in"),
    "link_new": _("Link to create an account"),
    "link_proof": _("Link to confirm that it’s you"),
    "mail": _("Other mail"),
    "new_device": _("Notice of a new device"),
    "not_readdressed": _("Answer: the invitation stays where it is"),
    "notices_off": _("Notice: notices turned off"),
    "password_changed": _("Notice of a changed password"),
    "power_used": _("Notice: change made at the desk"),
    "prove_other": _("Code for an invited address"),
    "readdress": _("Question: send it to another address?"),
    "recovery_code_used": _("Notice: recovery code used"),
    "recovery_codes": _("Notice: new recovery codes"),
    "register": _("Link to confirm an account"),
    "request_confirm": _("Link to confirm a request"),
    "request_in": _("Notice: people ask to join"),
    "request_no": _("Request declined"),
    "request_yes": _("Request granted"),
    "reset": _("Link to choose a password"),
    "reset_unknown": _("Answer: no account with this address"),
    "rights_changed": _("Notice of changed rights"),
    "second_factor_off": _("Notice: two‑step turned off"),
    "second_factor_on": _("Notice: two‑step turned on"),
    "stays": _("Notice: account kept"),
    "taken_over": _("Notice: invitations taken over"),
    "test_mail": _("Test mail"),
    "username_changed": _("Notice of a changed username"),
}

INVITATIONS = frozenset({"invite", "invite_group", "invite_known", "invite_reminder", "request_yes"})


def in_words(kind: str) -> str:
    """Returns a kind of mail in the active language. One that is none of WORDS, of a former version, is other mail."""
    return str(WORDS.get(kind, WORDS["mail"]))
