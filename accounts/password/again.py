"""The page that asks for proof before something is done, and then goes on with what was typed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.password.forms import WithProof
from accounts.session import proof
from accounts.session.account_page import PersonRequest
from kit.lane import Full
from kit.page import sent_fields
from kit.rate_limit import Limited

PREFIX = "proof"  # of the names of its own fields: those of the form that was posted may be called the same


def ask(request: PersonRequest, doing: str, back: str) -> HttpResponse | None:
    """Returns the page that asks for what is missing of the proof; None if nothing is, and the caller may go on.

    To be called for a POST, before anything is done. Signing in counts as proof, for 15 minutes. The page names what is
    to be done (`doing`) and leads out to the path `back`. It holds what was posted and posts it once more to the same
    address, now with the proof; only files must be chosen again. After that the session has a new id, and ends in
    twelve hours. After too many passwords or codes (429), and while too many hashes wait (503), the page says when to
    go on. Raises Superseded if the session, or all of the account, has ended meanwhile.
    """
    missing = proof.missing(request)
    form = WithProof(request, request.POST if is_answered(request) else None, prefix=PREFIX, missing=missing)
    if form.proven:
        return None
    limit: Limited | Full | None = None
    try:
        if form.is_valid():
            proof.give(request, form.way)
            return None
    except (Limited, Full) as reached:
        form, limit = WithProof(request, None, prefix=PREFIX, missing=missing), reached
    context = {"form": form, "doing": doing, "back": back, **repost_context(request)}
    return page(request, "accounts/password/again.html", context, limit)


def is_answered(request: HttpRequest) -> bool:
    """Returns whether this POST comes from the page of ask()."""
    return f"{PREFIX}-asked" in request.POST


def page(request: HttpRequest, template: str, context: dict[str, object], limit: Limited | Full | None) -> HttpResponse:
    """Returns a page that asks for proof; with a `limit` that was reached the 429 or 503, with Retry-After."""
    if limit is None:
        return render(request, template, context)
    status = 503 if isinstance(limit, Full) else 429
    response = render(request, template, context | {"limit": limit}, status=status)
    response["Retry-After"] = str(limit.seconds)
    return response


def repost_context(request: HttpRequest) -> dict[str, object]:
    """Returns what a page needs to post the same once more: "typed", pairs of name and text, and "files", names."""
    kept = [(name, text) for name, text in sent_fields(request) if not name.startswith(f"{PREFIX}-")]
    return {"typed": kept, "files": list(request.FILES)}
