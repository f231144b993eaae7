"""The description of the JSON doors (OpenAPI 3.1)."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

FILE = Path(__file__).with_suffix(".json")


def document() -> dict[str, Any]:
    """Returns openapi.json with this site's address and the name of its session cookie."""
    said: dict[str, Any] = json.loads(FILE.read_text())
    said["servers"] = [{"url": settings.SITE_URL}]
    said["components"]["securitySchemes"]["session"]["name"] = settings.SESSION_COOKIE_NAME
    return said


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Answers GET and HEAD with the OpenAPI document in JSON, and 405 to other methods."""
    return JsonResponse(document())
