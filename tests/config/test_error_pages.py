"""400, 403, CSRF, 404, 410, 413, 415, 429, 500, 503: what happened, what was kept, what to do next."""

import logging

import pytest
from django.test import Client, RequestFactory

from config.edge import pages
from tests.tools.reading import words


def raises(*_args, **_kwargs):
    raise RuntimeError("a secret detail")


@pytest.mark.django_db
def test_a_500_quotes_a_reference_that_the_log_has_too(monkeypatch, caplog):
    monkeypatch.setattr("invites.ask_for_link.form.EmailForm.is_valid", raises)
    client = Client(raise_request_exception=False)

    with caplog.at_level(logging.ERROR):
        page = client.post("/", {"email": "a@example.com"})

    assert page.status_code == 500
    assert "there is a problem with the service" in words(page)
    assert f"quote {page['X-Request-Id']}" in words(page)
    assert "secret detail" not in page.text
    assert "a secret detail" in caplog.text


VIEWS = [
    (pages.bad_request, 400, ""),
    (pages.too_large, 413, ""),
    (pages.unsupported, 415, ""),
    (pages.forbidden, 403, "You can’t open this page"),
    (pages.not_found, 404, "Page not found"),
    (pages.server_error, 500, "there is a problem with the service"),
]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_each_error_page_stands_alone(language, subtests):
    for view, status, said in VIEWS:
        with subtests.test(view.__name__):
            page = view(RequestFactory().get("/", headers={"Accept-Language": language}))

            assert page.status_code == status
            assert said in words(page) or language == "ru"
            assert page.text.count("<h1") == 1
            assert page.text.count('class="btn') <= 1


@pytest.mark.django_db
def test_the_desk_is_not_for_everybody(signed_in):
    page = signed_in.get("/admin/", follow=True)

    assert page.status_code == 403
    assert "You can’t open this page" in words(page)
