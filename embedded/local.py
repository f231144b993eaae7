"""Settings for a laptop that has none: a secret key, the address of this machine, and mail in a folder."""

import secrets
from urllib.parse import urlsplit

from embedded.folders import Environ, read_or_create, state_folder

# config/environment/variables.py has these names as well: neither package may import the other.
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def local_settings(environ: Environ) -> None:
    """Sets SECRET_KEY, SITE_URL, EMAIL_URL and DEV_MAILBOX in `environ` where they are missing; overrides nothing.

    The last two are set together, and only for a site on this machine without EMAIL_URL. The key and the folder for
    mail are in the state folder. Raises SystemExit if that folder cannot be made or belongs to another user.
    """
    state = state_folder(environ)
    if not is_set(environ, "SECRET_KEY"):
        # The key of the first start is stored: a new key would end all sessions and void all mailed links.
        environ["SECRET_KEY"] = read_or_create(state / "secret_key", secrets.token_urlsafe(64))
    if not environ.get("SITE_URL"):
        environ["SITE_URL"] = f"http://localhost:{environ.get('PORT') or 8000}"
    # Anyone who can read the mailbox can sign in as any user, so only a site on this machine may have one.
    if not is_set(environ, "EMAIL_URL") and urlsplit(environ["SITE_URL"]).hostname in THIS_MACHINE:
        (state / "mail").mkdir(mode=0o700, exist_ok=True)
        environ["EMAIL_URL"] = f"eml://{state / 'mail'}"
        environ.setdefault("DEV_MAILBOX", "1")


def is_set(environ: Environ, name: str) -> bool:
    """Returns whether a setting is given, as a value or, as secrets may be, as a file (config/secret_files.py)."""
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))
