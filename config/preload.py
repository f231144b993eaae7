"""What every request needs, loaded once before the web server forks: its processes then share that memory.

Else the first visitors of each new process would wait for it. Nothing here opens a connection, which no two processes
could share.
"""

from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.forms.renderers import get_default_renderer
from django.template import Engine
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation
from ua_parser import parse

TEMPLATES = (settings.BASE_DIR / "templates", Path(admin.__file__).parent / "templates")


def load() -> None:
    """Loads the site map, the translations, the templates of our pages and of the desk, and the list of browsers."""
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            reverse("entry")
            translation.gettext("Sign in")
    for folder in TEMPLATES:
        for file in (*folder.rglob("*.html"), *folder.rglob("*.svg")):
            get_template(str(file.relative_to(folder)))
    _ = Engine.get_default().template_context_processors, get_default_renderer()
    parse("Firefox")
