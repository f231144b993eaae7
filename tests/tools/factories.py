"""People, links and invitations for tests, made the way the application makes them."""

import factory
from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import User
from invites.models import LINK_LIFETIME, Invite, MagicLink, lifetimes, reminders
from sso import secret
from sso.models import App
from sso.models.app import OFFLINE, SCOPES

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


APP_SECRET = "s" * secret.LENGTH


class AppFactory(factory.django.DjangoModelFactory):
    """An app for its groups, or without any for everybody, which asks for no consent. Its secret is APP_SECRET.

    `public` ones have none. Its client id, made up unless it is given, is its `pk`.
    """

    class Meta:
        model = App

    asks_consent = False
    start_url = "https://app.example/start"

    @classmethod
    def _create(
        cls,
        model,
        name="Grafana",
        redirect_uris=("https://app.example/callback",),
        public=False,
        grant_types=("authorization_code", "refresh_token"),
        groups=(),
        pk="",
        **fields,
    ):
        client = Client.objects.create(
            id=pk or secret.new_id(),
            name=name,
            secret=make_password(APP_SECRET, hasher=secret.SecretHasher.algorithm),
            scopes="\n".join([*SCOPES, OFFLINE]),
            type=Client.Type.PUBLIC if public else Client.Type.CONFIDENTIAL,
            grant_types="\n".join(grant_types),
            redirect_uris="\n".join(redirect_uris),
            skip_consent=True,
        )
        app = model.objects.create(client=client, **{"everybody": not groups} | fields)
        app.groups.set(groups)
        return app
