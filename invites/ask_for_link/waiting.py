"""Whether the browser that waits for a mail has come in: by the link in another tab, or in any other way."""

from django.http import HttpRequest

from accounts.session import sessions
from accounts.session.notes import PROVEN
from invites.ask_for_link.asked import LinkRequest
from invites.models import MagicLink
from kit.page import BY_ITSELF

LOOKS = 60  # then the frame stops looking, which would else go on for days in a forgotten tab
PAUSE = 10  # seconds between two looks

STILL = "still"  # in the query: do not look


def way_on(request: HttpRequest, asked: LinkRequest) -> str:
    """Returns the path to carry on at if this browser has come in since it asked, else "".

    Who is signed in and has asked for proof must have proven it. Nothing depends on what became of the mail.
    """
    if not request.user.is_authenticated:
        return ""
    if asked.purpose == MagicLink.Purpose.PROOF and not PROVEN.read(request):
        return ""
    return sessions.landing(request.user, asked.next)


def looks_left(request: HttpRequest) -> int:
    """Returns how often the frame is to look again, by its query; 0 with STILL, or for what is no number of ours."""
    left = request.GET.get(BY_ITSELF, str(LOOKS))
    known = left.isascii() and left.isdecimal() and len(left) < len(str(LOOKS)) + 1
    return min(int(left), LOOKS) if known and STILL not in request.GET else 0
