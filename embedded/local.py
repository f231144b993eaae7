"""The settings of a bare laptop: a key of its own, its own address, mail in a folder."""

import secrets
from urllib.parse import urlsplit

from embedded.folders import Environ, read_or_create, state_folder

# The same stands in config/environment.py: neither package may know the other.
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def local_settings(environ: Environ) -> None:
    """Sets SECRET_KEY, SITE_URL, EMAIL_URL and DEV_MAILBOX where they are missing; overrides nothing."""
    state = state_folder(environ)
    if not environ.get("SECRET_KEY"):
        # Sessions and mailed links live as long as the key of the first start does.
        environ["SECRET_KEY"] = read_or_create(state / "secret_key", secrets.token_urlsafe(64))
    if not environ.get("SITE_URL"):
        environ["SITE_URL"] = f"http://localhost:{environ.get('PORT') or 8000}"
    # Who can read the mailbox can sign in as anyone: only a site on this machine may have one.
    if not environ.get("EMAIL_URL") and urlsplit(environ["SITE_URL"]).hostname in THIS_MACHINE:
        (state / "mail").mkdir(mode=0o700, exist_ok=True)
        environ["EMAIL_URL"] = f"eml://{state / 'mail'}"
        environ.setdefault("DEV_MAILBOX", "1")
