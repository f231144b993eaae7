"""The tags of mails style the HTML, keep the text plain, and let nobody's words be markup or a header."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import get_template
from django.utils import translation

from outbox.mail.compose import compose
from outbox.mail.write import write
from tests.outbox.test_mails import KINDS, NOTICES

FOLDER = Path(settings.BASE_DIR) / "templates" / "mail"
MAILS = {path.stem for path in FOLDER.glob("*.html")} - {"base", "notice"}
# The blocks of base.html and, below it, of notice.html. Of any other name nothing would be shown.
BLOCKS = {"subject", "preview", "heading", "intro", "button", "after"}
NOTICE_BLOCKS = BLOCKS - {"intro", "after"} | {"what", "advice", "end", "then"}
TYPED = '<b>O\'Hara</b> & <strong>Sons</strong> &amp; "co"'
ESCAPED = "&lt;b&gt;O&#x27;Hara&lt;/b&gt; &amp; &lt;strong&gt;Sons&lt;/strong&gt; &amp;amp; &quot;co&quot;"


def html(source, **context):
    return Template("{% load mail %}" + source).render(Context(context))


def text(source, **context):
    return html("{% paragraphs %}" + source + "{% endparagraphs %}", **context)


def blocks(name):
    return get_template(f"mail/{name}.html").template.nodelist[0].blocks


def rendered(name, language="en", **context):
    """Subject, text and HTML."""
    message = compose(write(name, "grace@example.com", context, language=language))
    return message.subject, message.body, message.alternatives[0].content


def test_there_is_one_file_for_each_mail():
    assert set(KINDS) == MAILS
    assert {path.name for path in FOLDER.iterdir()} - {f"{name}.html" for name in MAILS} == {
        *("base.html", "base.txt", "notice.html", "signature.txt"),
    }


@pytest.mark.parametrize("name", sorted(MAILS))
def test_each_mail_has_a_subject_a_heading_and_words_in_blocks_that_are_shown(name):
    has = set(blocks(name))

    assert {"subject", "heading", "what" if name in NOTICES else "intro"} <= has
    assert has <= (NOTICE_BLOCKS if name in NOTICES else BLOCKS)


def test_a_paragraph_is_styled_or_plain():
    source = "\n{% p %}One{% endp %}\n\n\n{% p %}Two\nlines{% endp %}\n"

    assert html(source).split("\n\n\n") == [
        '\n<p style="margin:0 0 16px">One</p>',
        '<p style="margin:0 0 16px">Two\nlines</p>\n',
    ]
    assert text(source) == "One\n\nTwo\nlines"


def test_strong_is_bold_in_the_html_and_missing_in_the_text():
    source = "{% p %}Until <strong>{{ until }}</strong>, {{ name }}.{% endp %}"

    assert "Until <strong>noon</strong>, &lt;strong&gt;Al." in html(source, until="noon", name="<strong>Al")
    assert text(source, until="noon", name="<strong>Al") == "Until noon, <strong>Al."


@pytest.mark.parametrize(
    "source",
    [
        "{% p %}{{ typed }}{% endp %}",
        "{% quote typed %}",
        "{% code typed %}",
        "{% points lines %}",
        "{% p %}{% way typed 'x' %}{% endp %}",
        "{% p %}{% way 'x' typed typed typed %}{% endp %}",
    ],
)
def test_what_somebody_typed_is_escaped_in_the_html_alone(source):
    context = {"typed": TYPED, "lines": [TYPED]}

    assert ESCAPED in html(source, **context)
    assert "<b>" not in html(source, **context)
    assert TYPED in text(source, **context)


def test_a_note_stands_in_a_box_or_in_quotation_marks():
    assert '<td class="quote" dir="auto"' in html("{% quote note %}", note="Hi!")
    assert text("{% quote note %}", note="Hi!") == "  “Hi!”"
    with translation.override("ru"):
        assert text("{% quote note %}", note="Hi!") == "  «Hi!»"


def test_no_note_leaves_no_trace():
    assert html("{% quote note %}", note="") == ""
    assert text("{% p %}One{% endp %}{% quote note %}{% p %}Two{% endp %}", note="") == "One\n\nTwo"


def test_a_way_is_an_anchor_or_an_address_on_a_line_of_its_own():
    source = "{% p %}Or {% way url 'that way' 'that way:' %}{% endp %}"

    assert 'Or <a href="/?a=1&amp;b=2" class="lk" style="color:#0b6b4f">that way</a></p>' in html(
        source, url="/?a=1&b=2"
    )
    assert text(source, url="/?a=1&b=2") == "Or that way:\n/?a=1&b=2"


def test_the_lead_of_a_way_is_for_the_html_alone():
    source = "{% p %}{% way '/' 'Choose' 'Forgot it? Choose here:' lead='Forgot it?' %}{% endp %}"

    assert 'px">Forgot it? <a href="/"' in html(source)
    assert text(source) == "Forgot it? Choose here:\n/"


def test_points_are_a_list_or_lines():
    assert html("{% points lines %}", lines="ab").endswith("<li>a</li><li>b</li></ul>")
    assert text("{% points lines %}", lines="ab") == "- a\n- b\n"


@pytest.mark.parametrize("source", ["Lost", "{% p %}One{% endp %} lost", "{% way '/' 'x' %}"])
def test_words_outside_of_all_tags_are_refused_as_the_text_would_lack_them(source):
    with pytest.raises(TemplateSyntaxError):
        text(source)


def test_long_lines_of_the_text_are_broken_and_addresses_are_not():
    url = "https://example.com/confirm?token=" + "x-" * 60

    _subject, body, _html = rendered("invite", inviter_email="", email="grace@example.com", url=url, note="word " * 40)

    assert f"\n{url}\n" in body
    assert body.count("word") == 40
    assert all(len(line) <= 72 for line in body.replace(url, "").splitlines())


def test_a_subject_is_one_line_and_says_what_was_typed():
    subject, body, page = rendered("new_device", device=f"{TYPED}\r\nBcc: eve@example.com", username="grace")

    assert subject == f"New sign-in to Frontdoor: {TYPED} Bcc: eve@example.com"
    assert TYPED in " ".join(body.split())
    assert ESCAPED in page
