"""The rows of the room: apps, who asks for which, agreed to which and is signed in to which, and keys that sign."""

from sso.models.access_request import AccessRequest
from sso.models.app import App, Refusal
from sso.models.bound import Bound, expired_tokens
from sso.models.consent import Consent
from sso.models.login import Login
from sso.models.logout_call import LogoutCall
from sso.models.signing_key import SigningKey

__all__ = [
    "AccessRequest",
    "App",
    "Bound",
    "Consent",
    "Login",
    "LogoutCall",
    "Refusal",
    "SigningKey",
    "expired_tokens",
]
