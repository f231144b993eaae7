"""The page that asks for proof before something is done, and then goes on with what was typed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.password.forms import WithProof
from accounts.session import proof
from accounts.session.account_page import PersonRequest
from kit.page import sent_fields

PREFIX = "proof"  # of the names of its own fields: those of the form that was posted may be called the same


def ask(request: PersonRequest) -> HttpResponse | None:
    """Returns the page that asks for what is missing of the proof; None if nothing is, and the caller may go on.

    To be called for a POST, before anything is done. Signing in counts as proof, for 15 minutes. The page holds what
    was posted and posts it once more to the same address, now with the proof; only files must be chosen again. After
    that the session has a new id, and ends in twelve hours. Raises Limited after too many passwords or codes, and
    Superseded if the session, or all of the account, has ended meanwhile.
    """
    answered = f"{PREFIX}-asked" in request.POST
    form = WithProof(request, request.POST if answered else None, prefix=PREFIX, missing=proof.missing(request))
    if form.proven:
        return None
    if answered and form.is_valid():
        proof.give(request)
        return None
    return render(request, "accounts/password/again.html", {"form": form} | typed(request))


def typed(request: HttpRequest) -> dict[str, object]:
    """Returns what a page needs to post the same once more: "typed", pairs of name and text, and "files", names."""
    kept = [(name, text) for name, text in sent_fields(request) if not name.startswith(f"{PREFIX}-")]
    return {"typed": kept, "files": list(request.FILES)}
