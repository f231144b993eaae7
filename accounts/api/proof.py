"""Showing to be the owner, which nothing asks for again until 15 minutes are over."""

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
    """Takes the password."""
    form = CurrentPasswordForm(request, sent)
    if not request.person.has_usable_password():
        raise only_by_link()
    if not form.is_valid():
        raise Invalid(form)
    sessions.prove(request)
    return who(request)


def check(form: WithProof, names: dict[str, str] | None = None) -> None:
    """Lets a form pass that is right, and comes with proof.

    Raises Refused where neither the password nor anything else shows that this is the owner, else Invalid with what
    the form finds; `names` as Invalid takes them.
    """
    if form.must_ask_mailbox:
        raise only_by_link()
    if not form.proven and not form.data.get("password"):
        raise Refused(403, "proof", _("Enter your password"), "password", next=reverse("api_proof"))
    if not form.is_valid():
        raise Invalid(form, names)


def only_by_link() -> Refused:
    """For an account without a password."""
    said = _("Ask for a link first: it proves that the account is yours")
    return Refused(403, "proof", said, next=reverse("api_proof_link"))
