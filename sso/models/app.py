"""Apps behind this door: whom each lets in, what it may learn, and where it is told that somebody has signed out."""

import enum
from typing import TYPE_CHECKING, ClassVar

from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sso import secret
from sso.models.app_queryset import AppQuerySet

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from sso.models.login import LoginQuerySet
    from sso.models.logout_call import LogoutCall

SCOPES = ("openid", "profile", "email", "groups")  # that every app may ask for
OFFLINE = "offline_access"
NOT_EDITED = {"client", "is_active", "made_at"}  # fields that the form of an app leaves alone


class Refusal(enum.Enum):
    """Why somebody may not use an app now."""

    OFF = "off"  # the app is turned off
    NO_ACCESS = "no_access"  # they are in none of its groups, or no staff where it is for staff
    SECOND_FACTOR = "second_factor"  # the app wants a code, and this session has shown none
    OTHER_ACCOUNT = "other_account"  # the app expects somebody else: it has sent along who


class Renewed(Exception):
    """The secret that was to be replaced has been replaced meanwhile."""


class App(models.Model):
    """An app, beside the engine's row of it (`client`), which holds its id, name, secret and redirect addresses."""

    class Product(models.TextChoices):
        GRAFANA = "grafana", "Grafana"
        GITEA = "gitea", "Gitea / Forgejo"
        NEXTCLOUD = "nextcloud", "Nextcloud"
        OUTLINE = "outline", "Outline"
        WORDPRESS = "wordpress", "WordPress"
        OTHER = "other", _("Another app with OpenID Connect")
        PROXY = "proxy", _("An app without OpenID Connect, behind a proxy")

    client = models.OneToOneField(Client, models.CASCADE, primary_key=True, related_name="app")
    product = models.CharField(_("what it is"), max_length=20, choices=Product, default=Product.OTHER)
    # Where people who want the app are led: the app begins its own sign-in there.
    start_url = models.CharField(_("address"), max_length=500)
    everybody = models.BooleanField(_("everybody with an account"), default=False)
    groups = models.ManyToManyField(Group, verbose_name=_("groups"), related_name="apps", blank=True)
    staff_only = models.BooleanField(_("only staff"), default=False)
    second_factor = models.BooleanField(_("only with two‑step verification"), default=False)
    asks_consent = models.BooleanField(_("ask people before it learns who they are"), default=True)
    offline = models.BooleanField(_("may stay signed in when people sign out here"), default=False)
    # Off only for clients that can't: then each request must bring a nonce, if the client can (RFC 9700 §2.1.1).
    pkce = models.BooleanField(_("must use PKCE"), default=True)
    logout_uri = models.CharField(_("back-channel logout address"), max_length=500, blank=True, default="")
    post_logout_uris = models.TextField(_("addresses after signing out"), blank=True, default="")  # one in each line
    is_active = models.BooleanField(_("on"), default=True)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[AppQuerySet] = AppQuerySet.as_manager()  # type: ignore[assignment]

    logins: "LoginQuerySet"

    # Set by AppQuerySet alone.
    lets_in: bool
    people: int
    last_use: "datetime | None"
    last_call: "LogoutCall | None"
    common_groups: list[str]
    last_used: "datetime | None"

    class Meta:
        verbose_name = _("app")
        verbose_name_plural = _("apps")

    def __str__(self) -> str:
        return self.client.name

    @property
    def name(self) -> str:
        """The name that people read."""
        return self.client.name

    @property
    def path(self) -> str:
        """The path of this site that leads a person into the app, or says why not."""
        return f"/apps/{self.pk}"

    @property
    def is_public(self) -> bool:
        """True for an app that can keep no secret: a program on somebody's own machine (RFC 6749 §2.1)."""
        return bool(self.client.type == Client.Type.PUBLIC)

    @property
    def has_secret(self) -> bool:
        """True for an app that proves by a secret who it is. Behind a proxy, the proxy asks in its place."""
        return not self.is_public and self.product != self.Product.PROXY

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that the app may ask for."""
        return (*SCOPES, OFFLINE) if self.offline else SCOPES

    @property
    def allowed_post_logout_uris(self) -> list[str]:
        """The addresses to which the app may lead people after they have signed out, compared exactly."""
        return self.post_logout_uris.split()

    def refusal(self, user: "User", *, has_code: bool) -> Refusal | None:
        """Returns why the person may not use the app in a session that has shown a code or not; None if they may.

        Reads `lets_in`, so the app comes from AppQuerySet.with_access_of().
        """
        if not self.is_active:
            return Refusal.OFF
        staff = user.is_staff or user.is_superuser
        if not self.lets_in or (self.staff_only and not staff):
            return Refusal.NO_ACCESS
        return Refusal.SECOND_FACTOR if self.second_factor and not has_code else None

    @transaction.atomic
    def store_new(self, name: str, redirect_uris: list[str], *, public: bool = False, new_id: str = "") -> str:
        """Stores this new app, with the engine's row of it, under `new_id` or an id that is made for it.

        Its groups are still to be set. Raises IntegrityError if an app has this id.

        Returns its secret, which is stored only as a hash; "" for a `public` app, which has none.
        """
        new = secret.new_secret()
        client = Client(
            id=new_id or secret.new_id(),
            type=Client.Type.PUBLIC if public else Client.Type.CONFIDENTIAL,
            secret=make_password(new, hasher=secret.SecretHasher.algorithm),  # of a public app: one that nobody knows
            skip_consent=True,  # we ask ourselves, before the engine is asked
            owner=None,  # or deleting a person would delete the app
        )
        client.set_grant_types([Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN])
        self.client = client
        self._fill_in_client(name, redirect_uris)
        client.save(force_insert=True)
        self.client = client  # whose key the row takes
        self.save(force_insert=True)
        return "" if public else new

    @transaction.atomic
    def store_changes(self, name: str, redirect_uris: list[str]) -> None:
        """Stores what has been changed of this app, with this name and these addresses.

        Whether it is on stays as it is stored: another may have turned it off since this one was read.
        """
        self._fill_in_client(name, redirect_uris)
        self.client.save(update_fields=["name", "redirect_uris", "scopes"])
        self.save(update_fields=[field.name for field in self._meta.fields if field.name not in NOT_EDITED])

    def _fill_in_client(self, name: str, redirect_uris: list[str]) -> None:
        self.client.name = name
        self.client.set_redirect_uris(redirect_uris)
        self.client.set_scopes(list(self.scopes))

    @transaction.atomic
    def renew_secret(self, fingerprint: str | None = None) -> str:
        """Gives the app a new secret, and returns it: it is stored only as a hash. The former works for 24 hours.

        With the `fingerprint` of the secret that is to be replaced, raises Renewed if another has taken its place.
        """
        client = Client.objects.select_for_update().get(pk=self.pk)
        if fingerprint is not None and fingerprint != secret.fingerprint(client.secret):
            raise Renewed
        new = secret.new_secret()
        client.secret = secret.renewed(client.secret, new)
        client.save(update_fields=["secret"])
        self.client = client
        return new

    @property
    def fingerprint(self) -> str:
        """What tells this secret of the app from any other, and gives nothing of it away."""
        return secret.fingerprint(self.client.secret)

    @transaction.atomic
    def turn_off(self) -> int:
        """Turns the app off, and ends everybody's login to it. Returns how many logins that were."""
        self.is_active = False
        self.save(update_fields=["is_active"])
        return self.end_logins()

    def turn_on(self) -> None:
        """Turns the app on. Whoever used it signs in to it anew."""
        self.is_active = True
        self.save(update_fields=["is_active"])

    def end_logins(self) -> int:
        """Ends everybody's login to the app. Returns how many that were."""
        return self.logins.end()

    @transaction.atomic
    def delete_for_good(self) -> None:
        """Ends everybody's login to the app, then deletes it with all that was kept for it."""
        self.end_logins()
        self.client.delete()
