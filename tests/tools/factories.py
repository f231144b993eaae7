"""People and invites for tests, made the way the application makes them."""

from datetime import timedelta

import factory
from django.utils import timezone

from accounts.models import User
from invites.models import Invite

PASSWORD = "correct horse battery staple"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda person: f"{person.username}@example.com")
    password = PASSWORD

    @classmethod
    def _create(cls, model, **fields):
        return model.objects.create_user(**fields)


class InviteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Invite

    # What somebody else sent, as against what people ask for themselves.
    class Params:
        invitation = factory.Trait(
            source=Invite.Source.ADMIN, expires_at=factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))
        )

    email = factory.Sequence(lambda n: f"guest{n}@example.com")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))
