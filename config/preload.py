"""What every request needs, loaded once before the web server forks: its processes then share that memory.

Else the first visitors of each new process would wait for it. Nothing here opens a connection, which no two processes
could share.
"""

from concurrent.futures import thread
from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.forms.renderers import get_default_renderer
from django.template import Engine
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation
from ua_parser import parse

from kit import disposable

TEMPLATES = (settings.BASE_DIR / "templates", Path(admin.__file__).parent / "templates")

DEEP = 128 * 1024 // 8  # words of a frame for which Python takes a block of more than 128 KiB: one of 256


def load() -> None:
    """Loads the site map, the translations, the templates of our pages and of the desk, and the list of browsers.

    Where disposable mailboxes are refused, also the list of them.
    """
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            reverse("entry")
            translation.gettext("Sign in")
    for folder in TEMPLATES:
        for file in (*folder.rglob("*.html"), *folder.rglob("*.svg")):
            get_template(str(file.relative_to(folder)))
    _ = Engine.get_default().template_context_processors, get_default_renderer()
    parse("Firefox")
    if settings.DISPOSABLE_MAILBOXES == "refuse":
        disposable.known()


def give_room_to_threads() -> None:
    """Has each thread of a pool started from now on keep one large block for the frames of its calls.

    Python keeps them in blocks of 16 KiB. A loop whose calls begin where one block ends has Python fetch and return a
    block at each turn: the settings page took two and a half times as long when that fell upon the list of its time
    zones, and all pages 10 % longer. As the outermost function asks for a frame of DEEP words, its block is large.
    """
    outermost = thread._worker  # noqa: SLF001 nothing public says how large a block is
    outermost.__code__ = outermost.__code__.replace(co_stacksize=DEEP)
