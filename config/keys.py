"""The keys that sign and encrypt: where they come from, and which are too weak for a site that others can reach."""

import re
import zlib

from config.environment.variables import command, env, read, refuse, required

LEAST_BYTES = 32  # that a key must take when it is compressed: repetitions take less, 50 random digits more
# Words of keys that are public: startproject's own mark, and what manuals write where a key belongs.
PUBLIC = "insecure changeme changethis replaceme replacethis yoursecret secretkey yourkey placeholder randomcharacters"


def secret_key(*, debug: str) -> str:
    """Returns SECRET_KEY; if it is missing, `debug` while DEBUG is on, and "" for a command that does not need it.

    Raises SystemExit if it is missing otherwise, or if it is weak.
    """
    key = required("SECRET_KEY", debug=debug)
    return strong("SECRET_KEY", key) if key else ""


def former_secret_keys() -> list[str]:
    """Returns SECRET_KEY_FALLBACKS.

    Raises SystemExit if one of them is weak: whoever guesses it could sign in as anyone, by a link of their own making.
    """
    keys: list[str] = read(env.list, "SECRET_KEY_FALLBACKS", default=[])
    if any(map(is_refused, keys)):
        refuse("SECRET_KEY_FALLBACKS has a weak key. Move it to ENCRYPTION_KEY_FALLBACKS, where it signs nothing.")
    return keys


def encryption_keys(*signing: str) -> list[str]:
    """Returns the keys for kit/encryption.py: ENCRYPTION_KEY, its fallbacks, and the `signing` keys.

    The first encrypts. Without ENCRYPTION_KEY it is the first signing key. Raises SystemExit if ENCRYPTION_KEY is weak,
    or if there is no key at all for a command that decrypts.
    """
    key, replaced = env.str("ENCRYPTION_KEY", default=""), read(env.list, "ENCRYPTION_KEY_FALLBACKS", default=[])
    # All keys decrypt, so secrets stay readable when ENCRYPTION_KEY is introduced or removed.
    keys = [strong("ENCRYPTION_KEY", key), *replaced, *signing] if key else [*signing, *replaced]
    if not any(keys) and command() == "deliver_webhooks":
        refuse("ENCRYPTION_KEY is missing, and SECRET_KEY, which may take its place. Set one of them.")
    return [key for key in keys if key]


def strong(name: str, key: str) -> str:
    """Returns `key`, the value of variable `name`. Raises SystemExit if is_refused() refuses it."""
    return refuse(f"{name} is weak. Use at least 50 random characters.") if is_refused(key) else key


def is_refused(key: str) -> bool:
    """Returns whether a key is weak, and this site no trial on the developer's own machine (DEBUG)."""
    return is_weak(key) and not read(env.bool, "DEBUG", default=False)


def is_weak(key: str) -> bool:
    """Returns whether a key is short, repeats itself or is public.

    Short and of few characters is what Django's check security.W009 finds, which does not see one word many times.
    """
    short = len(key) < 50 or len(set(key)) < 5
    repeats = key in (key + key)[1:-1] or len(zlib.compress(key.encode(), 9, wbits=-15)) < LEAST_BYTES
    letters = re.sub(r"[\W_]", "", key.lower())
    return short or repeats or any(word in letters for word in (*PUBLIC.split(), "example"))
