"""The account of this site at Google, or at a stand-in."""

from config.environment.variables import THIS_MACHINE, env, origin, refuse


def secret(client_id: str) -> str:
    """Returns GOOGLE_CLIENT_SECRET, perhaps "". Raises SystemExit if only one of it and `client_id` is set."""
    secret: str = env.str("GOOGLE_CLIENT_SECRET", default="")
    if bool(secret) != bool(client_id):
        refuse("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET come together: set both, or neither.")
    return secret


def base_url() -> str:
    """Returns GOOGLE_BASE_URL, the origin of a stand-in for Google, or "" for Google itself.

    Raises SystemExit if it is no origin, or if it is http on another machine.
    """
    typed: str = env.str("GOOGLE_BASE_URL", default="")
    if not typed:
        return ""
    url = origin("GOOGLE_BASE_URL", typed, "https://google.example")
    if url.scheme == "http" and url.hostname not in THIS_MACHINE:
        refuse("GOOGLE_BASE_URL must be https: its answers say who signs in.")
    return url.geturl()


def endpoints(base: str) -> dict[str, str]:
    """Returns allauth's settings for the stand-in at the origin `base`, with Google's own paths; {} if `base` is ""."""
    paths = {"AUTHORIZE_URL": "/o/oauth2/v2/auth", "ACCESS_TOKEN_URL": "/token"}
    return {name: base + path for name, path in paths.items()} if base else {}
