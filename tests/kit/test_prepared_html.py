"""HTML that is rendered once for each language, and filled in with other values each time."""

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from kit.prepared_html import PreparedHtml

EVENT, VALUES = "accounts/profile/event.html", ("kind", "at", "when", "site", "device", "ip")
NASTY = "<b>\"50%\" & '%s' %(kind)s \ue000kind\ue001</b> {{ kind }}"
FLAGS = [{"by_staff": by_staff, "has_ip": has_ip} for by_staff in (False, True) for has_ip in (False, True)]


@pytest.mark.parametrize("flags", FLAGS)
def test_what_is_filled_in_is_what_django_renders(flags):
    prepared = PreparedHtml(EVENT, *VALUES)
    for language in ("en", "ru", "en"):
        for number in range(2):
            values = {name: f"{name} {number} {NASTY}" for name in VALUES}
            with translation.override(language):
                assert prepared.fill(values, **flags) == render_to_string(EVENT, values | flags)


def test_django_renders_once_for_each_language_and_flag(monkeypatch):
    prepared, values, rendered = PreparedHtml(EVENT, *VALUES), dict.fromkeys(VALUES, "x"), []
    original = prepared._render
    monkeypatch.setattr(prepared, "_render", lambda flags: rendered.append(flags) or original(flags))

    for language in ("en", "ru"):
        for flags in FLAGS * 2:
            with translation.override(language):
                prepared.fill(values, **flags)

    assert rendered == FLAGS * 2


def test_with_debug_on_each_change_of_a_template_is_seen(settings, monkeypatch):
    settings.DEBUG = True
    prepared = PreparedHtml(EVENT, *VALUES)
    for changed in ("one", "two"):
        monkeypatch.setattr("kit.prepared_html.render_to_string", lambda *_args, changed=changed: changed)
        assert prepared.fill({}) == changed


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(KeyError):
        PreparedHtml(EVENT, *VALUES).fill({"kind": "x"}, by_staff=False, has_ip=False)
