"""Our own HTML of form fields equals that of Django's templates to the letter."""

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from accounts.profile.preferences_form import SettingsForm
from config.widgets import WRITERS, Renderer

NASTY = """<b a='1' c="2"> & é \u2028 ' " {{ x }} {% y %}"""
ATTRIBUTES = {"id": "a", "title": NASTY, "autofocus": True, "hidden": False, "maxlength": 5, "a<": None, "class": "b"}
ATTRIBUTES |= {"aria-label": gettext_lazy("Sign in"), "data-safe": mark_safe("&amp;")}
VALUES = [None, "", 0, 5, True, NASTY, gettext_lazy("Sign in"), mark_safe("&amp;"), ("a", "b")]

INPUTS = [
    forms.TextInput,
    forms.EmailInput,
    forms.PasswordInput,
    forms.HiddenInput,
    forms.NumberInput,
    forms.CheckboxInput,
]
CHOICES = [
    ("", "UTC"),
    ("<A>", [("a/b", "A & B"), (1, NASTY)]),
    (2, gettext_lazy("Sign in")),
    (None, mark_safe("&amp;")),
]


def both(widget, value):
    return [widget.render("n<a>me", value, renderer=renderer) for renderer in (Renderer(), TemplatesSetting())]


@pytest.mark.parametrize("kind", INPUTS)
def test_an_input_is_what_the_template_writes(kind, subtests):
    options = {"render_value": True} if kind is forms.PasswordInput else {}
    for value in VALUES:
        with subtests.test(value=value):
            ours, theirs = both(kind(attrs=ATTRIBUTES, **options), value)

            assert ours == theirs
            assert "<b" not in ours


def test_a_select_is_what_the_template_writes(subtests):
    for value in (None, "", "a/b", 1, "1", 2, "none of these"):
        with subtests.test(value=value):
            ours, theirs = both(forms.Select(attrs=ATTRIBUTES, choices=CHOICES), value)

            assert ours == theirs
            assert "<b" not in ours


def test_the_list_of_time_zones_is_what_the_template_writes():
    form = SettingsForm({"time_zone": "Asia/Tokyo"})

    ours, theirs = both(form.fields["time_zone"].widget, "Asia/Tokyo")

    assert ours == theirs
    assert ours.count(" selected") == 1


def test_every_writer_is_tried():
    tried = {kind.template_name for kind in [*INPUTS, forms.Select]}

    assert set(WRITERS) == tried


def test_the_forms_of_the_site_are_written_so():
    assert isinstance(SettingsForm().renderer, Renderer)


def test_a_field_is_written_without_any_template(monkeypatch):
    monkeypatch.setattr(TemplatesSetting, "get_template", None)
    form = SettingsForm(renderer=Renderer(), initial={})

    assert 'type="email"' in forms.EmailInput().render("email", "", renderer=Renderer())
    assert "<select" in form["time_zone"].as_widget()
