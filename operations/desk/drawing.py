"""Draws a page of the site as somebody else sees it, inside a request of the person who looks."""

import copy
from collections.abc import Callable
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import resolve, reverse

from operations.desk import sample_pages
from operations.desk.site_pages import ACCOUNT, PAGES


def draw(request: HttpRequest, name: str) -> str:
    """Returns the HTML of one of PAGES. Nothing is stored. Raises Http404 for a name that no page has.

    A page of an account is drawn for the person who looks, all others for a visitor who is not signed in.
    """
    page = PAGES.get(name)
    if page is None:
        raise Http404
    seen = (like if name in ACCOUNT else of_a_visitor)(request, reverse(page.url or "entry"))
    if page.url:
        return text(answer(seen))
    return text(render(seen, page.template, sample_pages.facts(seen, name)))


def like(request: HttpRequest, path: str) -> HttpRequest:
    """Returns a GET request for `path` by the same person, in which no message is shown and so lost."""
    other = copy.copy(request)
    other.path = other.path_info = path
    other.GET, other.method = QueryDict(), "GET"
    other.resolver_match = resolve(path)
    other.__dict__.pop("_messages", None)
    return other


def of_a_visitor(request: HttpRequest, path: str) -> HttpRequest:
    """Returns a GET request for `path` by a visitor who is not signed in, with a session of its own."""
    other = like(request, path)
    other.user = AnonymousUser()
    other.COOKIES = {}
    other.session = type(request.session)()
    return other


def answer(request: HttpRequest) -> HttpResponse:
    """Returns what the view of the request's path answers."""
    found = request.resolver_match or resolve(request.path)
    view = cast("Callable[..., HttpResponse]", found.func)
    return view(request, *found.args, **found.kwargs)


def text(response: HttpResponse) -> str:
    """Returns the HTML of an answer, which may still have to be rendered."""
    if isinstance(response, TemplateResponse):
        response = response.render()
    return response.content.decode()
