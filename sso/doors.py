"""What all doors for apps share: answers that nobody keeps, and errors in the words of OAuth (RFC 6749 §5.2)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt

from kit.rate_limit import Limited

View = Callable[[HttpRequest], HttpResponse]


class Refused(Exception):
    """An error for an app: `error` is a word of the standard, `description` says to its developers what to do."""

    def __init__(self, error: str, description: str, status: int = 400, **headers: str) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def door(*methods: str, kept: int = 0) -> Callable[[View], View]:
    """Returns a decorator for a view that apps call by these methods, from a server and so without a CSRF token.

    Anybody may keep the answer for `kept` seconds; for 0, nobody may.
    """
    fresh = {"public": True, "max_age": kept} if kept else {"no_store": True}

    def decorator(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def wrapper(request: HttpRequest) -> HttpResponse:
            try:
                if (request.method if request.method != "HEAD" else "GET") not in methods:
                    raise Refused("invalid_request", f"Use {' or '.join(methods)}.", 405, Allow=", ".join(methods))  # noqa: TRY301
                response = view(request)
            except Refused as refused:
                return answer_error(refused.status, refused.headers, refused.error, refused.description)
            except Limited as reached:
                headers = {"Retry-After": str(reached.seconds)}
                return answer_error(429, headers, "temporarily_unavailable", "Too many requests. Try again later.")
            patch_cache_control(response, **fresh)
            return response

        return wrapper

    return decorator


def form_of(request: HttpRequest) -> dict[str, str]:
    """Returns the fields of the form that a request has posted; none has two values (config.edge.bodies)."""
    return {name: str(value) for name, value in request.POST.items()}


def answer(fields: dict[str, Any]) -> HttpResponse:
    """Returns what the app asked for."""
    return JsonResponse(fields, headers={"Pragma": "no-cache"})


def answer_error(status: int, headers: dict[str, str], error: str, description: str) -> HttpResponse:
    """Returns an error, with its description, which nobody keeps."""
    fields = {"error": error, "error_description": description}
    return JsonResponse(fields, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"} | headers)
