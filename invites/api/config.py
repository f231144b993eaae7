"""What there is here; the same for everybody."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from kit.json_door import Fields, door


@door("GET")
def show(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """What a program that draws its own pages has to know before it draws them."""
    return JsonResponse(
        {
            "signup": settings.SIGNUP,
            "members_invite": settings.MEMBERS_INVITE,
            "google": bool(settings.GOOGLE_CLIENT_ID),
            "password_min_length": settings.PASSWORD_MIN_LENGTH,
            "second_factor": "staff" if settings.REQUIRE_STAFF_2FA else "optional",
        }
    )
