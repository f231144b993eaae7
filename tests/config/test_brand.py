"""The brand of a site: colours that can be read, a mark that is safe in every page, files and links."""

import re
from html import escape
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from django.conf import settings
from hypothesis import assume, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from config.brand import mark, palette
from config.edge import brand_files
from invites.models import Invite
from kit.colours import Colour, contrast
from operations.desk import sample_mail
from tests.config.test_start import GOOD, start
from tests.tools import brand

ROOT = Path(__file__).parent.parent.parent
NORTH, SALT = "#4b3fc7", "#a8431d"
STAR = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="currentColor" d="M16 2l3 10z"/></svg>'
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")

# What stands on what in each theme, in the brand's own colours.
PAIRS = [(text, ground) for text in ("ink", "muted", "brand") for ground in ("panel", "bg", "ok_bg")]
PAIRS += [("on_brand", "brand"), ("on_brand", "brand_2")]


@pytest.fixture
def branded(settings):
    """The name and the colour of a sample brand that the site has."""
    yield brand.wear(settings, "north")
    brand.forget()


def test_the_palette_without_a_brand_is_that_of_the_style_sheet():
    css = (ROOT / "static" / "frontdoor.css").read_text()
    tones = dict(re.findall(r"--([\w-]+): light-dark\((#\w+, #\w+)\)", css))

    for name, tone in palette.PLAIN.items():
        light, dark = tones[name.replace("_", "-")].split(", ")
        assert (Colour.read(light).write(), Colour.read(dark).write()) == (tone.light, tone.dark), name


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        (
            NORTH,
            {
                "bg": ("#eaebf1", "#0c0d12"),
                "muted": ("#595b69", "#abadba"),
                "brand": ("#4b3fc7", "#b0b7ff"),
                "brand_2": ("#3922ac", "#cbd1ff"),
                "on_brand": ("#ffffff", "#131423"),
                "ok_bg": ("#ebedfd", "#202135"),
            },
        ),
        (
            SALT,
            {
                "bg": ("#f0eae8", "#120c0a"),
                "muted": ("#685852", "#b9aaa6"),
                "brand": ("#a8431d", "#fda485"),
                "brand_2": ("#8b2d01", "#ffc5b1"),
                "on_brand": ("#ffffff", "#22110c"),
                "ok_bg": ("#fceae4", "#331d16"),
            },
        ),
    ],
)
def test_the_palettes_of_both_sample_brands(colour, expected):
    derived = palette.derive(colour)

    for name, tones in expected.items():
        for got, wanted in zip((derived[name].light, derived[name].dark), tones, strict=True):
            parts = zip(bytes.fromhex(got[1:]), bytes.fromhex(wanted[1:]), strict=True)
            assert max(abs(one - other) for one, other in parts) <= 2, (name, got, wanted)


@settings_of_hypothesis(deadline=None)
@given(COLOURS)
def test_whatever_colour_starts_can_be_read(colour):
    try:
        derived = palette.derive(colour)
    except palette.TooFaintError:
        assume(False)
    for text, ground in PAIRS:
        for theme in ("light", "dark"):
            assert contrast(getattr(derived[text], theme), getattr(derived[ground], theme)) >= 4.5, (
                text,
                ground,
                theme,
            )


@settings_of_hypothesis(deadline=None)
@given(COLOURS)
def test_whatever_colour_is_refused_has_a_near_one_that_starts(colour):
    try:
        palette.derive(colour)
    except palette.TooFaintError as faint:
        assert palette.derive(faint.nearest)["brand"].light == faint.nearest
        there, here = Colour.read(faint.nearest), Colour.read(colour)
        # A step lighter, and it could not be read: it is the nearest of its hue.
        with pytest.raises(palette.TooFaintError):
            palette.derive(Colour(there.lightness + 0.01, here.chroma, here.hue).write())


@settings_of_hypothesis(deadline=None)
@given(COLOURS)
def test_a_colour_is_written_as_it_was_read(colour):
    assert Colour.read(colour).write() == colour


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            {"BRAND_COLOR": "#ff9900"},
            "BRAND_COLOR #ff9900 has a contrast of 1.8 on the page; 4.5 is needed. The nearest that passes is #",
        ),
        ({"BRAND_COLOR": "#777777"}, "BRAND_COLOR #777777 has a contrast of 3.7 on the page; 4.5 is needed. "),
        (
            {"BRAND_COLOR": NORTH, "BRAND_COLOR_DARK": NORTH},
            "BRAND_COLOR_DARK #4b3fc7 has a contrast of 2.1 on a tag; 4.5 is needed. The nearest that passes is #",
        ),
        ({"BRAND_COLOR": "purple"}, "BRAND_COLOR must be a colour like #4b3fc7, not 'purple'."),
        (
            {"BRAND_COLOR": NORTH, "BRAND_COLOR_DARK": "#12"},
            "BRAND_COLOR_DARK must be a colour like #4b3fc7, not '#12'.",
        ),
        ({"BRAND_COLOR_DARK": "#b0b7ff"}, "BRAND_COLOR_DARK needs BRAND_COLOR beside it."),
        ({"BRAND_LOGO": "/no/such/logo.svg"}, "BRAND_LOGO can't be read: No such file or directory: /no/such/logo.svg"),
        ({"BRAND_LOGO": __file__}, "BRAND_LOGO is too large; 8,192 bytes is the most:"),
        ({"BRAND_FAVICON": str(ROOT / "manage.py")}, "BRAND_FAVICON is no SVG: "),
        (
            {"BRAND_MAIL_LOGO": "http://example.com/logo.png"},
            "BRAND_MAIL_LOGO must look like https://example.com/logo.png.",
        ),
        ({"FOOTER_LINKS": "Status"}, "FOOTER_LINKS must look like Status=https://"),
        ({"FOOTER_LINKS": "Run=javascript:alert(1)"}, "FOOTER_LINKS must look like Status=https://"),
        ({"FOOTER_LINKS": ",".join(f"L{n}=/{n}" for n in range(9))}, "FOOTER_LINKS may have 8 links at most."),
        ({"SIGNED_IN_URL": "//evil.example"}, "SIGNED_IN_URL must look like "),
        ({"SIGNED_IN_URL": "ftp://app.example"}, "SIGNED_IN_URL must look like "),
        ({"MAIL_FROM_NAME": "%(who)s at work"}, "MAIL_FROM_NAME must look like %(inviter)s via %(site)s, not "),
        ({"TEMPLATE_DIRS": "/no/such/folder"}, "TEMPLATE_DIRS: there is no folder '/no/such/folder'."),
        ({"LOCALE_DIRS": "/no/such/folder"}, "LOCALE_DIRS: there is no folder '/no/such/folder'."),
        ({"LOCALE_DIRS": str(ROOT / "docs")}, "LOCALE_DIRS: there is no LANGUAGE/LC_MESSAGES/django.mo in "),
        ({"FOOTER_LINKS": "Status=//host"}, "FOOTER_LINKS must look like Status=https://"),
        ({"EXTRA_APPS": "no_such_app"}, "EXTRA_APPS: there is no package 'no_such_app' on the Python path."),
    ],
)
def test_a_setting_that_is_wrong_stops_the_start_with_one_line(environment, line):
    done = start(**GOOD | environment)

    assert done.returncode == 1
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_a_colour_starts():
    for colour in ("#000", "#A0105A"):
        done = start(**GOOD | {"BRAND_COLOR": colour})
        assert (done.returncode, done.stderr) == (0, ""), colour


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<script>alert(1)</script>", "has <script>"),
        ("<style>path { fill: red }</style>", "has <style>"),
        ('<path d="M0 0" style="fill: red"/>', "has a style="),
        ('<path d="M0 0" onload="alert(1)"/>', "has onload="),
        ('<path d="M0 0" ONCLICK="alert(1)"/>', "has ONCLICK="),
        ('<image href="https://example.com/spy.png"/>', "has <image>"),
        ('<use href="https://example.com/spy.svg#a"/>', "has <use>"),
        ('<path fill="url(https://example.com/spy)" d="M0 0"/>', "no foreign addresses"),
        ('<path fill="URL( //example.com )" d="M0 0"/>', "no foreign addresses"),
        ('<path fill="u\\72l(//example.com)" d="M0 0"/>', "no foreign addresses"),
        ('<a href="javascript:alert(1)"><path d="M0 0"/></a>', "has <a>"),
        ("<foreignObject><p>hello</p></foreignObject>", "has <foreignObject>"),
        ("<text>Northlight</text>", "Turn the text into paths"),
        ('<animate attributeName="href"/>', "has <animate>"),
    ],
)
def test_a_mark_that_runs_styles_or_loads_anything_is_refused(inside, why):
    content = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{inside}</svg>'

    with pytest.raises(mark.UnfitError, match=re.escape(why)):
        mark.clean(content.encode())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no SVG"),
        (b"<html/>", "is no SVG"),
        (b'<svg viewBox="0 0 1 1"/>', "is no SVG"),
        (b"\xff\xfe<\x00s\x00", "is not in UTF-8"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>', "defines entities"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "give it a viewBox"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 0"/>', "too wide or too high"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan 1"/>', "too wide or too high"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 100"/>', "too wide or too high"),
        (b" " * 8193, "has 8,193 bytes"),
        (STAR.replace(b"path", b"g"), "draws nothing"),
        (
            STAR.replace(b"<path", b"<g>" * 40 + b"<path").replace(b"</svg>", b"</g>" * 40 + b"</svg>"),
            "Ungroup its shapes",
        ),
    ],
)
def test_a_file_that_is_no_mark_is_refused(content, why):
    with pytest.raises(mark.UnfitError, match=re.escape(why)):
        mark.clean(content)


def test_a_mark_loses_what_drawing_programs_store_and_keeps_what_is_seen():
    drawn = b"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
    <!-- Created with a program -->
    <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
    <svg xmlns="http://www.w3.org/2000/svg" xmlns:i="http://www.inkscape.org/namespaces/inkscape"
      xmlns:xlink="http://www.w3.org/1999/xlink" width="64px" height="32px" id="main" class="logo" i:version="1.4">
    <title>Northlight</title><metadata>me</metadata><i:namedview pagecolor="#fff"/>
    <defs><linearGradient id="sky"><stop offset="0" stop-color="#4b3fc7"/></linearGradient>
    <linearGradient id="b" xlink:href="#sky" gradientTransform="rotate(90)"/></defs>
    <g fill="url(#b)"><path id="star" d="M16 2l3 10z" i:label="a &amp; b"/></g></svg>"""

    html = mark.inline(mark.clean(drawn))

    assert html == (
        '<svg id="mark-main" viewBox="0 0 64 32" width="56" height="28" aria-hidden="true"><defs>'
        '<linearGradient id="mark-sky"><stop offset="0" stop-color="#4b3fc7"/></linearGradient>'
        '<linearGradient id="mark-b" href="#mark-sky" gradientTransform="rotate(90)"/></defs>'
        '<g fill="url(#mark-b)"><path id="mark-star" d="M16 2l3 10z"/></g></svg>'
    )
    assert mark.inline(
        mark.clean(
            mark.icon(mark.clean(STAR), "", "").replace("<style>", "<title>").replace("</style>", "</title>").encode()
        )
    )


@settings_of_hypothesis(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_no_value_breaks_out_of_its_attribute(value):
    content = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="{escape(value)}"/></svg>'
    try:
        cleaned = mark.clean(content.encode())
    except mark.UnfitError:
        return
    [path] = fromstring(mark.inline(cleaned))  # noqa: S314 - what we wrote just now
    assert path.attrib.keys() <= {"d"}


@pytest.mark.django_db
def test_pages_and_error_pages_have_the_brand(client, branded):
    settings.FOOTER_LINKS[:] = []

    for page in (client.get("/"), client.get("/nothing/here")):
        html = page.content.decode()
        sheet = re.search(r'href="(/brand/[0-9a-f]{12}/colours\.css)"', html)
        assert sheet
        assert html.index("frontdoor") < sheet.start()
        assert 'viewBox="0 0 32 32" width="28"' in html
        assert re.search(r'<link rel="icon" href="/brand/[0-9a-f]{12}/icon">', html)
        assert "style=" not in html
        assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")


def test_files_of_the_brand_are_kept_for_ever_by_their_own_name_only(client, branded):
    own = client.get(brand_files.address("colours.css", settings.BRAND_SHEET))
    other = client.get("/brand/0123456789ab/colours.css")
    icon = client.get(brand_files.address("icon", settings.BRAND_ICON))

    assert (own.status_code, own["Content-Type"]) == (200, "text/css")
    assert own["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (other.status_code, other.content, other["Cache-Control"]) == (200, own.content, "no-cache")
    assert icon["Content-Type"] == "image/svg+xml"
    assert own["X-Content-Type-Options"] == "nosniff"
    assert not own.cookies
    assert client.post("/brand/0123456789ab/colours.css").status_code == 405
    assert client.get("/brand/0123456789ab/other").status_code == 404


def test_without_a_brand_there_are_no_files(client):
    assert client.get("/brand/0123456789ab/colours.css").status_code == 404
    assert "/brand/" not in client.get("/").content.decode()


@pytest.mark.django_db
def test_links_of_the_site_stand_in_the_foot(client, settings):
    settings.FOOTER_LINKS = [("Status & more", "https://status.example.com/?a=1&b=2")]

    html = client.get("/").content.decode()

    assert '<a href="https://status.example.com/?a=1&amp;b=2"><bdi>Status &amp; more</bdi></a>' in html


@pytest.mark.django_db
def test_mails_have_the_brand(branded, settings):
    html = sample_mail.rendered("invite", "en")["alternatives"][0][0]

    assert html.count("#4b3fc7") == 5  # the letter, the button twice and both links
    assert settings.BRAND_PALETTE["brand"].dark in html
    assert not [
        tone
        for pair in palette.PLAIN.values()
        for tone in (pair.light, pair.dark)
        if tone in html.replace("#ffffff", "")
    ]
    assert re.search(r'aria-hidden="true"[^>]*>N</td>', html)
    assert "<img" not in html

    settings.BRAND_MAIL_LOGO = "https://example.com/logo.png"
    html = sample_mail.rendered("invite", "en")["alternatives"][0][0]
    assert '<img src="https://example.com/logo.png" width="36" height="36" alt=""' in html
    assert 'aria-hidden="true"' not in html


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "language", "sender"),
    [
        ("", "en", "ada via Frontdoor <hello@testserver>"),
        ("%(site)s – %(inviter)s", "en", "=?utf-8?q?Frontdoor_=E2=80=93_ada?= <hello@testserver>"),
        ("Example, Inc.", "en", '"Example Inc." <hello@testserver>'),
    ],
)
def test_an_invitation_comes_from_its_inviter_by_the_site(settings, form, language, sender):
    settings.MAIL_FROM_NAME = form

    assert sample_mail.rendered("invite", language)["from_email"] == sender
    assert sample_mail.rendered("link_new", language)["from_email"] == settings.DEFAULT_FROM_EMAIL


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("site_name", "shown"),
    [
        ("Привет, мир\r\nBcc: eve@example.com", "Привет мир Bcc eve example.com"),
        ("<eve@example.com>, Ann", "eve example.com Ann"),
        ("a" * 150 + ', "b" <eve@example.com>', "a" * 150 + " b eve example.com"),
        ("Ж" * 150 + ", <eve@example.com>", "Ж" * 150 + " eve example.com"),
    ],
)
def test_an_invitation_has_one_sender_whatever_the_site_is_called(settings, mailbox, ada, site_name, shown):
    settings.SITE_NAME = site_name

    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada)

    letter = mailbox.letters("grace@example.com")[-1]
    assert letter["Bcc"] is None
    [sender] = letter["From"].addresses
    assert sender.addr_spec == "hello@testserver"
    assert "".join(sender.display_name.split()) == "".join(f"ada via {shown}".split())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?b?Y2VvQGJhbmsuY29tIiA8Y2VvQGJhbmsuY29tPiwgIg==?=",
        "=?utf-8?q?Bank=3Cceo=40bank=2Ecom=3E?=",
        "==??utf-8?q?Bank=3Cceo=40bank=2Ecom=3E?=",
        "=?utf-8?q?=0D=0ABcc:_eve=40example.com?=",
        "=?utf-7?q?+2AA-?=",
        'Bank" <ceo@bank.com>, "',
        "x" * 79 + ', "y" <ceo@bank.com>',
    ],
)
def test_no_name_that_was_stored_past_the_rules_makes_another_sender(mailbox, ada, name):
    type(ada).objects.update(name=name)
    ada.refresh_from_db()

    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada)

    letter = mailbox.letters("grace@example.com")[-1]
    [sender] = letter["From"].addresses
    assert sender.addr_spec == "hello@testserver"
    assert letter["Bcc"] is None
    assert "ceo@bank.com" not in letter["Subject"].replace(name[:30], "")
