"""Whether this site has any app: so that pages of people who are signed in cost no more on a site without apps."""

from django.db.models import Exists

from accounts.models import User
from sso.models import App

NAME = "site_has_apps"


def fact() -> Exists:
    """Returns what is read along with whoever is signed in (accounts.models.read_along), under NAME."""
    return Exists(App.objects.all())


def is_missing(person: User) -> bool:
    """Returns True if there was no app when the person was read in this request; False if nobody has looked."""
    return not getattr(person, NAME, True)
