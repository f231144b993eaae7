"""People, links and invitations for tests, made the way the application makes them."""

import factory
from allauth.idp.oidc.models import Client
from django.utils import timezone

from accounts.models import User
from invites.models import LINK_LIFETIME, Invite, MagicLink, lifetimes, reminders
from sso.models import App

PASSWORD = "plumage visor ocelot thimble"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda person: f"{person.username}@example.com")
    password = PASSWORD

    @classmethod
    def _create(cls, model, **fields):
        return model.objects.create_user(**fields)


class LinkFactory(factory.django.DjangoModelFactory):
    """A link that somebody asked for."""

    class Meta:
        model = MagicLink

    email = factory.Sequence(lambda n: f"guest{n}@example.com")
    purpose = MagicLink.Purpose.LINK
    expires_at = factory.LazyFunction(lambda: timezone.now() + LINK_LIFETIME)


class InviteFactory(factory.django.DjangoModelFactory):
    """An invitation by staff, with its link."""

    class Meta:
        model = Invite

    email = factory.Sequence(lambda n: f"guest{n}@example.com")
    source = Invite.Source.ADMIN
    expires_at = factory.LazyFunction(lambda: timezone.now() + lifetimes.default())
    remind_at = factory.LazyFunction(lambda: timezone.now() + lifetimes.default() - reminders.BEFORE)

    @classmethod
    def _create(cls, model, groups=(), **fields):
        invite = model.objects.create(**fields)
        invite.groups.set(groups)
        MagicLink.objects.store_own([invite.pk])
        return invite


class ClientFactory(factory.django.DjangoModelFactory):
    """What the engine of OpenID Connect knows of an app."""

    class Meta:
        model = Client

    id = factory.Sequence(lambda n: f"app{n}")
    name = "Grafana"


class AppFactory(factory.django.DjangoModelFactory):
    """An app that lets nobody in unless told otherwise. Its `name` and `client__…` go to the engine's row."""

    class Meta:
        model = App

    class Params:
        name = "Grafana"

    client = factory.SubFactory(ClientFactory, name=factory.SelfAttribute("..name"))
    start_url = "https://grafana.example/login"

    @classmethod
    def _create(cls, model, groups=(), **fields):
        app = model.objects.create(**fields)
        app.groups.set(groups)
        return app
