"""What every request passes."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


def keep_cookies_in_scheme(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: over https browsers may send no cookie of ours over http. So no setting can be forgotten."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    return middleware
