"""The settings of a bare laptop: a key of its own, its own address, mail in a folder."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from config.embedded.folders import Environ, state_folder

THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def local_settings(environ: Environ) -> None:
    """Sets SECRET_KEY, SITE_URL, EMAIL_URL and DEV_MAILBOX where they are missing; overrides nothing."""
    state = state_folder(environ)
    if not environ.get("SECRET_KEY"):
        environ["SECRET_KEY"] = _secret_key(state / "secret_key")
    if not environ.get("SITE_URL"):
        environ["SITE_URL"] = f"http://localhost:{environ.get('PORT') or 8000}"
    # Who can read the mailbox can sign in as anyone: only a site on this machine may have one.
    if not environ.get("EMAIL_URL") and urlsplit(environ["SITE_URL"]).hostname in THIS_MACHINE:
        (state / "mail").mkdir(mode=0o700, exist_ok=True)
        environ["EMAIL_URL"] = f"eml://{state / 'mail'}"
        environ.setdefault("DEV_MAILBOX", "1")


def _secret_key(path: Path) -> str:
    """The key made at the first start; sessions and mailed links live as long as it does."""
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix="secret_key.") as new:
            new.write(secrets.token_urlsafe(64))
            new.flush()
            with suppress(FileExistsError):  # of two first starts one wins, and nobody reads half a key
                os.link(new.name, path)
    return path.read_text()
