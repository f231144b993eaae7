"""JSON door to prove ownership of the account: for the next 15 minutes no door asks for the password."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.password.forms import CurrentPasswordForm, WithProof
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from accounts.who import signed_in, who
from kit.json_door import Fields, Invalid, Refused, door


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def give(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Proves ownership of the account by `password`, for 15 minutes. Answers who is signed in.

    Answers 403 for an account without a password, whose owner must ask for a link instead, 400 for a wrong password,
    429 after too many tries, and 401 to anyone not signed in.
    """
    form = CurrentPasswordForm(request, sent)
    if not request.person.has_usable_password():
        raise only_by_link()
    if not form.is_valid():
        raise Invalid(form)
    sessions.prove(request)
    return who(request)


def check(form: WithProof, names: dict[str, str] | None = None) -> None:
    """Checks a form that needs proof of ownership; returns only if the form is valid and the proof is there.

    `names` maps the form's fields to the names that programs use. Raises Refused (403) if neither a password nor a
    recent proof is there, Invalid with the form's errors, Limited after too many passwords or codes, and Superseded if
    the form takes a code and all sessions of the account have ended meanwhile.
    """
    if form.must_ask_mailbox:
        raise only_by_link()
    if not form.proven and not form.data.get("password"):
        raise Refused(403, "proof", _("Enter your password"), "password", next=reverse("api_proof"))
    if not form.is_valid():
        raise Invalid(form, names)


def only_by_link() -> Refused:
    """Returns the refusal (403) for an account without a password: its owner must first ask for a link.

    Its `next` is the door that mails the link.
    """
    said = _("Ask for a link first: it proves that the account is yours")
    return Refused(403, "proof", said, next=reverse("api_proof_link"))
