"""/.well-known/security.txt: where to report a vulnerability (RFC 9116)."""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

VALID = timedelta(days=90)  # after a day's beginning; RFC 9116 §2.5.5 asks for less than a year


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Answers with the contacts of SECURITY_CONTACT as text. Raises Http404 if there is none; other methods get 405."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        *(f"Contact: {url}" for url in settings.SECURITY_CONTACT),
        f"Expires: {today + VALID:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
