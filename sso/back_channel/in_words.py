"""What became of a call to an app, in the words of staff: what stands in its way, and what they can do about it."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kit.times import brief_html
from sso.models import LogoutCall

# As outbox.webhooks.targets says it in English, which is how the caller stores it.
PRIVATE = re.compile(r"(?P<host>\S+) is at (?P<address>\S+), which is not a public address")
# The first that fits is the reason. Any other answer stands for itself.
REASONS: list[tuple[Callable[[str], object], object]] = [
    (re.compile(r"Use https").match, gettext_lazy("its address must begin with https")),
    (re.compile(r"No server was found").match, gettext_lazy("no server has this name")),
    (re.compile(r"SSL").match, gettext_lazy("its certificate is not valid")),
    (re.compile(r"\w*(Error|Disconnected|gaierror|BadStatusLine)\b").match, gettext_lazy("it does not answer")),
    (re.compile(r"3\d\d\b").match, gettext_lazy("it sends us to another address")),
    (re.compile(r"(404|410)\b").match, gettext_lazy("there is nothing at this address")),
]


def outcome(call: LogoutCall) -> SafeString:
    """Returns what became of a call, as HTML in the active language and time zone: "told today, 08:41"."""
    said = {"why": why(call.last_answer), "count": call.attempts}
    if call.status == call.Status.TOLD:
        words = _("told %(when)s")
        if call.attempts > 1:
            words = ngettext("told %(when)s, at try %(count)s", "told %(when)s, at try %(count)s", call.attempts)
        return format_html(words % {"when": "{}", "count": call.attempts}, brief_html(call.told_at))  # type: ignore[arg-type]
    if call.status == call.Status.QUEUED:
        return format_html("{}", _("waiting"))
    if call.status == call.Status.TRIED:
        words = ngettext("tried once: %(why)s", "tried %(count)s times: %(why)s", call.attempts)
        return format_html("{} · {} {}", words % said, _("next try:"), brief_html(call.next_try_at))
    if call.status == call.Status.REFUSED:
        return format_html("{}", _("Refused: %(why)s") % said)
    words = ngettext("Given up after %(count)s try", "Given up after %(count)s tries", call.attempts) % said
    return format_html("{}{}", words, f": {said['why']}" if said["why"] else "")


def why(answer: str) -> str:
    """Returns what an answer in LogoutCall.last_answer means, in the active language, to stand after a colon."""
    if private := PRIVATE.match(answer):
        about = private.groupdict() | {"network": network_of(private["address"])}
        return (
            _("%(host)s is at %(address)s, a private address, which WEBHOOKS_ALLOWED_NETWORKS=%(network)s would allow")
            % about
        )
    return next((str(words) for says, words in REASONS if says(answer)), answer)


def network_of(address: str) -> str:
    """Returns the network that is worth allowing for an address: containers get another one at each start."""
    found = ip_address(address)
    return str(ip_network((found, 64 if isinstance(found, IPv6Address) else 24), strict=False))
