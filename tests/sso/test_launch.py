"""The link of an app leads on whoever is let in, and tells anybody else why not."""

import pytest
from django.contrib.auth.models import Group

from accounts.session.notes import FACTOR
from tests.tools import phone
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db


def link(app):
    return f"/apps/{app.pk}"


def test_it_leads_on_by_a_page_and_never_by_a_redirect(signed_in):
    app = AppFactory(start_url="https://grafana.example/login/generic_oauth?a=1&b=2")

    page = signed_in.get(link(app))

    assert (page.status_code, page["Refresh"]) == (200, f"0; url={app.start_url}")
    assert page.text.count(f'href="{app.start_url.replace("&", "&amp;")}"') == 1
    assert "Continue to Grafana" in page.text
    assert "no-store" in page["Cache-Control"]


def test_a_stranger_signs_in_first_and_comes_back(client):
    app = AppFactory()

    answer = client.get(link(app))

    assert (answer.status_code, answer.url) == (302, f"/login?next=/apps/{app.pk}")


@pytest.mark.parametrize("path", ["/apps/nothing", "/apps/%00", "/apps/%D1%8F", "/apps/" + "x" * 3000])
def test_an_id_that_no_app_has_is_not_found(signed_in, path):
    assert signed_in.get(path).status_code == 404


def test_it_takes_no_post(signed_in):
    assert signed_in.post(link(AppFactory())).status_code == 405


def test_who_is_in_none_of_its_groups_reads_so_and_is_let_in_once_they_are(signed_in, ada):
    editors = Group.objects.create(name="Editors <b>")
    app = AppFactory(everybody=False, groups=[editors], name="Wiki & more")

    page = signed_in.get(link(app))

    assert page.status_code == 403
    assert "Refresh" not in page
    assert "You have no access to Wiki &amp; more yet" in page.text
    assert "is for the group Editors &lt;b&gt;, which you’re not in" in page.text
    assert "ada@example.com" in page.text
    assert f'action="{link(app)}/ask"' in page.text
    assert f'<input type="hidden" name="next" value="{link(app)}">' in page.text
    ada.groups.add(editors)
    assert signed_in.get(link(app)).status_code == 200


def test_another_account_comes_back_to_the_app(signed_in):
    app = AppFactory(everybody=False)

    answer = signed_in.post("/logout/here", {"next": link(app)}, follow=True)

    assert answer.redirect_chain == [(link(app), 302), (f"/login?next={link(app)}", 302)]


def test_an_app_for_staff_lets_in_staff_alone(signed_in, ada):
    app = AppFactory(staff_only=True)

    assert "is for those who run" in signed_in.get(link(app)).text
    ada.is_staff = True
    ada.save()
    assert signed_in.get(link(app)).status_code == 200


def test_an_app_that_is_off_opens_to_nobody(signed_in):
    page = signed_in.get(link(AppFactory(is_active=False)))

    assert page.status_code == 403
    assert "Grafana is turned off" in page.text
    assert "Refresh" not in page


def test_an_app_that_wants_a_code_gets_one_in_this_session(signed_in, ada):
    app = AppFactory(second_factor=True)

    page = signed_in.get(link(app))
    assert page.status_code == 403
    assert f'href="/account/second-factor/app?next={link(app)}"' in page.text

    phone.pair(ada)
    signed_in.force_login(ada)
    page = signed_in.get(link(app))
    assert page.status_code == 403
    assert f'?next={link(app)}">Enter a code now' in page.text

    for factor, status in (("trusted_browser", 403), ("app", 200), ("recovery_code", 200)):
        session = signed_in.session
        session[FACTOR] = factor
        session.save()
        assert signed_in.get(link(app)).status_code == status


def test_what_the_site_asks_first_comes_before_the_app(signed_in, settings):
    app = AppFactory()
    settings.TERMS_URL, settings.TERMS_VERSION = "https://example.com/terms", "2"

    answer = signed_in.get(link(app))

    assert answer.url == f"/account/complete?next=%2Fapps%2F{app.pk}"
