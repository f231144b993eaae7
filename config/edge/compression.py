"""Compression of answers, but of none that mixes what a stranger can choose with what only the visitor may read."""

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from kit.page import holds_secret

COMPRESSED = ("text/", "application/json", "image/svg+xml")
UNWANTED = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")


class CompressionMiddleware(GZipMiddleware):
    """Django's compression with gzip, which makes the length of every answer random by up to 100 bytes.

    From many lengths of compressed answers somebody on the wire can guess a secret in them, if they also hold what he
    had the browser ask for (BREACH). CSRF tokens look different each time. Any other secret is on pages that are not
    compressed: those that are marked by kit.page.mark_secret(), and those of signed-in visitors whose address has a
    query, the part of a request that others can choose.
    """

    def process_response(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        kind = response.get("Content-Type", "")
        reflects = request.META.get("QUERY_STRING") and settings.SESSION_COOKIE_NAME in request.COOKIES
        if reflects or holds_secret(response) or not kind.startswith(COMPRESSED):
            return response
        if UNWANTED.search(request.headers.get("Accept-Encoding", "")):
            return response
        return super().process_response(request, response)
