"""The files of a brand that are made at start, and the mark in each page."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from config.brand import mark
from config.brand.given import File

FOLDER = "/brand/"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = "no-cache"

GetResponse = Callable[[HttpRequest], HttpResponse]


def address(name: str, file: File | None) -> str:
    """Returns the path of a file, which changes with its content, or "" without a file."""
    return f"{FOLDER}{file.name}/{name}" if file else ""


@cache
def mark_in_pages() -> SafeString:
    """Returns the mark of the site as HTML: BRAND_LOGO, or ours."""
    if settings.BRAND_LOGO is None:
        return render_to_string("icons/mark.svg")
    return mark_safe(mark.inline(settings.BRAND_LOGO))  # noqa: S308 - all of it is escaped or from a list


def send_brand_files(get_response: GetResponse) -> GetResponse:
    """Returns middleware that answers requests below FOLDER, without sessions and languages.

    During a release two sets of servers answer, and one may be asked for the other's file. It sends its own then, not
    to be kept: for a moment a page has other colours, but it has some.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(FOLDER):
            return get_response(request)
        hash_of_file, _, name = request.path_info.removeprefix(FOLDER).partition("/")
        files: dict[str, Any] = {"colours.css": settings.BRAND_SHEET, "icon": settings.BRAND_ICON}
        file: File | None = files.get(name)
        if file is None:
            return get_response(request)  # the 404 page
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        kept = FOR_EVER if hash_of_file == file.name else FOR_NOW
        return HttpResponse(file.content, content_type=file.media_type, headers={"Cache-Control": kept})

    return middleware
