"""The JSON door that says what this site offers; its answer is the same for every visitor."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts import profile_fields
from kit.json_door import Fields, door


@door("GET")
def show(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Returns what a program needs to draw its own pages: the setting SIGNUP, and whether members may invite.

    Also the domains whose people may join, if SIGNUP says so, whether Google is offered, the least length of a
    password, whether staff need two-step verification, what people are asked about themselves, and the terms to agree
    to.
    """
    return JsonResponse(
        {
            "signup": settings.SIGNUP,
            "signup_domains": settings.SIGNUP_DOMAINS if settings.SIGNUP == "domains" else [],
            "members_invite": settings.MEMBERS_INVITE,
            "google": bool(settings.GOOGLE_CLIENT_ID),
            "password_min_length": settings.PASSWORD_MIN_LENGTH,
            "second_factor": "staff" if settings.REQUIRE_STAFF_2FA else "optional",
            "terms": {"version": settings.TERMS_VERSION, "url": settings.TERMS_URL} if settings.TERMS_VERSION else None,
            "profile_fields": [field.described for field in profile_fields.every()],
        }
    )
