"""JSON door to prove ownership of the account: for the next 15 minutes no door asks for the password."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.password import guesses
from accounts.password.forms import WithPassword, WithProof
from accounts.session import proof
from accounts.session.account_page import PersonRequest
from accounts.who import signed_in, who
from kit.json_door import Fields, Invalid, Refused, door


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def give(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Proves ownership of the account by `password`, and by `code` if it is sent. Answers who is signed in.

    After a mailed link that was opened in this session just now, `code` is enough. For 15 minutes no door asks for what
    was proven. With every factor that the account has, the session also gets a new id, and ends in 12 hours. Answers
    403 for an account without a password, or shut to passwords on this device, whose owner must ask for a link instead,
    400 for a wrong or missing password and a wrong code, 429 after too many tries, and 401 to anyone not signed in.
    """
    form = WithProof(request, sent, missing=proof.everything(request))
    if form.must_ask_mailbox:
        raise only_by_link()
    has_all = not form.missing.code or form.sent("code")
    if not has_all and "password" in form.fields:  # without either, nothing would be shown
        del form.fields["code"]
    if not form.is_valid():
        raise refusal(form)
    proof.give(request, form.way, all_factors=has_all)
    return who(request)


def check(form: WithPassword, names: dict[str, str] | None = None) -> None:
    """Checks a form that needs proof of ownership; returns only if the form is valid and the proof is there.

    `names` maps the form's fields to the names that programs use. Raises Refused (403) if a factor was neither sent nor
    shown just now, or no password counts on this device, Invalid with the form's errors, Limited after too many
    passwords or codes, and Superseded if the form takes a code and all sessions of the account have ended meanwhile.
    """
    if form.must_ask_mailbox:
        raise only_by_link()
    unsent = form.unsent()
    if "password" in unsent or (not form.is_valid() and form.errors.keys() <= unsent.keys()):
        name, said = next(iter(unsent.items()))
        raise Refused(403, "proof", said, name, next=reverse("api_proof"))
    if not form.is_valid():
        raise refusal(form, names)


def refusal(form: WithPassword, names: dict[str, str] | None = None) -> Refused:
    """Returns the refusal for an invalid form: Invalid with all its errors, named by `names`.

    It is that of only_by_link() if the account is shut to passwords on this device.
    """
    if form.has_error("password", "shut"):
        return only_by_link(str(guesses.SHUT))
    return Invalid(form, names)


def only_by_link(said: str = "") -> Refused:
    """Returns the refusal (403) where no password proves anything: the owner must first ask for a link.

    Its `next` is the door that mails the link. `said` says why, by default nothing but that.
    """
    said = said or _("Ask for a link first: it proves that the account is yours")
    return Refused(403, "proof", said, next=reverse("api_proof_link"))
