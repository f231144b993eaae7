"""The rows of the room: apps, who agreed to which, who is signed in to which, and the keys that sign."""

from sso.models.app import App, Refusal
from sso.models.bound import Bound, expired_tokens
from sso.models.consent import Consent
from sso.models.login import Login
from sso.models.logout_call import LogoutCall
from sso.models.signing_key import SigningKey

__all__ = ["App", "Bound", "Consent", "Login", "LogoutCall", "Refusal", "SigningKey", "expired_tokens"]
