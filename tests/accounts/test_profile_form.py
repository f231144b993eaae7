"""Fields that a site asks about people by a form of its own (PROFILE_FORM): choices, boxes, and its own checks."""

import re

import pytest
from django import forms
from django.core.exceptions import ValidationError

from accounts import profile_fields
from accounts.models import User
from invites import purposes
from invites.models import Batch
from kit import form_fields, own_fields, tokens
from tests.tools.desk import check
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.program import Program, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


class ProfileForm(forms.Form):
    team = forms.ChoiceField(label="Your team", choices=[("red", "The Reds"), ("blue", "The Blues")])
    badge = forms.RegexField(r"[A-Z]{2}\d{4}", required=False, help_text="Two letters and four digits")
    since = forms.DateField(required=False)
    news = forms.BooleanField(label="Send me news", required=False)


@pytest.fixture(autouse=True)
def asked(settings):
    settings.PROFILE_FIELDS = own_fields.parse("job:optional")
    settings.PROFILE_FORM = f"{__name__}.ProfileForm"


@pytest.fixture
def grace():
    return UserFactory(username="grace", settings={"profile": {"team": "red", "badge": "AB1234", "news": "yes"}})


def test_sign_up_asks_by_the_forms_own_widgets_and_checks(client):
    token = tokens.sign(purposes.SIGNUP, InviteFactory(email="new@example.com").pk)
    page = client.get("/signup", {"token": token})
    assert re.search(r'<select name="profile_team"[^>]*>\s*<option value="" selected>–</option>', page.text)
    assert '<input type="checkbox" name="profile_news"' in page.text
    assert "Two letters and four digits" in words(page)

    typed = {"token": token, "username": "newcomer", "password": PASSWORD}
    refused = client.post("/signup", typed | {"profile_badge": "ab", "profile_news": "on"})
    assert "Fill in “Your team”" in words(refused)
    assert "Enter a valid value." in words(refused)
    assert re.search(r'name="profile_news"[^>]* checked', refused.text)
    assert "Select a valid choice" in words(client.post("/signup", typed | {"profile_team": "green"}))

    client.post("/signup", typed | {"profile_team": "blue", "profile_news": "on", "profile_since": "2026-12-01"})
    assert User.objects.get(username="newcomer").settings["profile"] == {
        "team": "blue",
        "since": "2026-12-01",
        "news": "yes",
    }


def test_whoever_lacks_a_choice_is_asked_and_the_account_page_says_it_in_words(client, ada):
    answer = client.post("/login", {"login": "ada", "password": PASSWORD})
    assert answer.url.startswith("/account/complete")
    client.post(answer.url, {"profile_team": "blue"})

    assert "The Blues" in words(client.get("/account"))


def test_staff_see_words_and_change_only_what_they_change(desk, admin_user, grace, mailbox):
    admin_user.fill_in({"team": "red"})
    page = f"/admin/accounts/user/{grace.pk}/"
    assert "Your teamThe Reds" in words(desk.get(f"{page}change/"))
    assert "Send me newsYes" in words(desk.get(f"{page}change/"))
    assert "The Reds · AB1234 · Send me news" in words(desk.get("/admin/accounts/user/"))
    edit = desk.get(f"{page}edit/").text
    assert '<option value="red" selected>' in edit
    assert re.search(r'name="profile_news"[^>]* checked', edit)

    form = {"username": "grace", "email": grace.email, "is_active": "on", "profile_badge": "AB1234"}
    desk.post(f"{page}change/", form | {"profile_team": "blue", "profile_news": "on"})

    assert User.objects.get(pk=grace.pk).settings["profile"]["team"] == "blue"
    assert "Your team: The Reds → The Blues" in mailbox.text(grace.email)
    assert "Send me news" not in mailbox.text(grace.email)


def test_nobody_but_the_person_ticks_a_box(client):
    invite = InviteFactory(email="new@example.com", profile={"team": "blue", "news": "yes"})

    page = client.get("/signup", {"token": tokens.sign(purposes.SIGNUP, invite.pk)})

    assert '<option value="blue" selected>' in page.text
    assert re.search(r'name="profile_news"(?![^>]* checked)', page.text)


def test_programs_send_texts(grace):
    program = Program()
    told = program.get("/api/v1/config").json()["profile_fields"]
    assert told[1] == {"name": "team", "required": True, "kind": "choice", "choices": ["red", "blue"]}
    program.sign_in("grace", PASSWORD)

    refused = program.send("/api/v1/account", "PATCH", profile={"news": "perhaps", "team": "green"})
    assert fields(refused) == ["profile.team", "profile.news"]
    answer = program.send("/api/v1/account", "PATCH", profile={"news": "no", "badge": ""})
    assert answer.json()["user"]["profile"] == {"job": "", "team": "red", "badge": "", "since": "", "news": ""}


def test_a_list_may_say_a_choice_in_words(desk, admin_user):
    admin_user.fill_in({"team": "red"})
    shown = words(
        check(desk, "email,your team,news\na@x.example,the blues,НЕТ\nb@x.example,green,\nc@x.example,,maybe\n")
    )

    assert "Your team: The Blues" in shown
    assert "Your team: Select a valid choice. green is not one of the available choices." in shown
    assert "Send me news: Write “yes” or “no”" in shown
    assert Batch.objects.get().entries[0]["profile"] == {"team": "blue"}


class Numbers(forms.Form):
    level = forms.TypedChoiceField(coerce=int, choices=[("Low", [(0, "None yet")]), (1, "Some")], required=False)
    mail = forms.EmailField(required=False)
    site = forms.URLField(required=False)
    age = forms.IntegerField(min_value=18, required=False)
    share = forms.DecimalField(max_digits=4, decimal_places=2, required=False)
    motto = forms.CharField(max_length=5, required=False)


def test_fields_of_one_line_are_kept_whatever_their_widget(client, settings):
    settings.PROFILE_FORM = f"{__name__}.Numbers"
    token = tokens.sign(purposes.SIGNUP, InviteFactory(email="new@example.com").pk)
    said = {"level": "0", "mail": "a@b.example", "site": "https://b.example", "age": "18", "share": "1.50"}
    typed = {"token": token, "username": "newcomer", "password": PASSWORD}
    typed |= {f"profile_{name}": value for name, value in said.items()}

    refused = client.post("/signup", typed | {"profile_age": "17", "profile_motto": "Onward"})
    assert "Ensure this value is greater than or equal to 18." in words(refused)
    assert "Ensure this value has at most 5 characters" in words(refused)
    assert not re.search(r'name="profile_\w+"[^>]* maxlength', refused.text), "browsers would cut what is pasted"
    client.post("/signup", typed)

    assert User.objects.get(username="newcomer").settings["profile"] == said
    kinds = {field["kind"] for field in Program().get("/api/v1/config").json()["profile_fields"]}
    assert kinds == {"text", "choice", "url", "number"}
    assert "None yet" in words(client.get("/account"))


class OneBox(forms.Form):
    news = forms.BooleanField(required=False)


class Across(ProfileForm):
    def clean(self):
        raise ValidationError("never")


class OneMore(ProfileForm):
    def clean_badge(self):
        raise ValidationError("never")


class Files(forms.Form):
    photo = forms.FileField()


class Several(forms.Form):
    teams = forms.MultipleChoiceField(choices=[("red", "red")])


class Spaces(forms.Form):
    team = forms.ChoiceField(choices=[("the  reds", "The Reds")])


class Names(forms.Form):
    email = forms.CharField()


class Twice(forms.Form):
    job = forms.CharField()


WRONG = {
    "Across": "has clean(), which nobody would call",
    "OneMore": "has clean_badge(), which nobody would call",
    "Files": "'photo' is no line of text, choice or box",
    "Several": "'teams' is no line of text, choice or box",
    "Spaces": "'team' offers 'the  reds', which is no plain line of text",
    "Names": "'email' has a meaning of its own",
    "Twice": "'job' is in PROFILE_FIELDS, too",
    "NoSuch": "there is no 'tests.accounts.test_profile_form.NoSuch'",
    "WRONG": "is no class of django.forms.Form",
}


def test_a_form_whose_module_fails_stops_the_start_with_one_sentence(settings, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "failing_forms.py").write_text("raise RuntimeError('two\\nlines')")
    settings.PROFILE_FORM = "failing_forms.ProfileForm"

    with pytest.raises(SystemExit) as stopped:
        profile_fields.check_form()

    assert str(stopped.value) == (
        "PROFILE_FORM can't be read: 'failing_forms.ProfileForm' can't be loaded: RuntimeError: two lines."
    )


@pytest.mark.parametrize("name", WRONG)
def test_a_form_that_can_not_be_kept_stops_the_start_with_one_sentence(name, settings):
    settings.PROFILE_FORM = f"{__name__}.{name}"

    with pytest.raises(SystemExit) as stopped:
        profile_fields.check_form()

    assert str(stopped.value).startswith("PROFILE_FORM can't be read: ")
    assert WRONG[name] in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_without_a_form_nothing_is_added():
    assert form_fields.read("", ()) == []
