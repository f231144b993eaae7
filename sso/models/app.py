"""Apps behind this door: whom each lets in, what it may learn, and where it is told that somebody has signed out."""

import enum
from typing import TYPE_CHECKING, Any, ClassVar

from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sso import secret

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from accounts.models import User
    from sso.models.login import LoginQuerySet
    from sso.models.logout_call import LogoutCall

SCOPES = ("openid", "profile", "email", "groups")  # that every app may ask for
OFFLINE = "offline_access"
NOT_EDITED = {"client", "is_active", "made_at"}  # fields that the form of an app leaves alone
# Second factors that count: a browser that is trusted to ask for none has shown none.
SHOWN_FACTORS = ("app", "recovery_code")


class Refusal(enum.Enum):
    """Why somebody may not use an app now."""

    OFF = "off"  # the app is turned off
    NO_ACCESS = "no_access"  # they are in none of its groups, or no staff where it is for staff
    SECOND_FACTOR = "second_factor"  # the app wants a code, and this session has shown none
    OTHER_ACCOUNT = "other_account"  # the app expects somebody else: it has sent along who


class Renewed(Exception):
    """The secret that was to be replaced has been replaced meanwhile."""


class AppQuerySet(models.QuerySet["App"]):
    def open_to(self, user: "User") -> "AppQuerySet":
        """Returns the apps that are on and let this person in, whatever their session has shown, by name."""
        mine = App.groups.through.objects.filter(app=OuterRef("pk"), group__user=user.pk)
        staff = user.is_staff or user.is_superuser
        rows = self.filter(Q(everybody=True) | Exists(mine), is_active=True)
        if not staff:
            rows = rows.filter(staff_only=False)
        return rows.select_related("client").order_by("client__name", "pk")

    def with_access_of(self, user: "User") -> "AppQuerySet":
        """Returns the apps, each with `lets_in`: whether the person is among those whom the app lets in.

        Whether the app is on, and for staff, and wants a code, is not part of it; refusal() asks all that.
        """
        mine = App.groups.through.objects.filter(app=OuterRef("pk"), group__user=user.pk)
        return self.select_related("client").annotate(
            lets_in=models.Case(models.When(everybody=True, then=True), default=Exists(mine))
        )

    def with_groups_of(self, user: "User") -> "AppQuerySet":
        """Returns the apps, each with `common_groups`: the names of those of its groups that the person is in."""
        names = Group.objects.filter(apps=OuterRef("pk"), user=user.pk).order_by().values("name")
        return self.annotate(common_groups=ArraySubquery(names))

    def with_last_use(self, user: "User") -> "AppQuerySet":
        """Returns the apps, each with `last_used`: when this person last signed in to it, or None."""
        from sso.models.login import Login  # noqa: PLC0415 it refers to this model

        newest = Login.objects.filter(app=OuterRef("pk"), person=user.pk, used_at__isnull=False).order_by("-made_at")
        return self.annotate(last_used=Subquery(newest.values("made_at")[:1]))

    @staticmethod
    def prefetch_groups(apps: "Iterable[App]") -> None:
        """Reads the groups of these apps, in one statement."""
        models.prefetch_related_objects(list(apps), "groups")

    @staticmethod
    def count_use(apps: "Iterable[App]") -> None:
        """Sets `people` and `last_use` of these apps in one statement.

        That is how many people have come in of late, and when the last one did. Logins that ended a month ago are gone.
        """
        from sso.models.login import Login  # noqa: PLC0415 it refers to this model

        listed = list(apps)
        used = Login.objects.filter(app__in=[app.pk for app in listed], used_at__isnull=False).order_by()
        rows = used.values_list("app").annotate(models.Count("person", distinct=True), models.Max("used_at"))
        found = {pk: counted for pk, *counted in rows} if listed else {}
        for app in listed:
            app.people, app.last_use = found.get(app.pk, (0, None))


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

    WITHOUT_NONCE = frozenset({Product.GITEA, Product.WORDPRESS})

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
    last_call: "LogoutCall | None"  # at the desk
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
    def needs_nonce(self) -> bool:
        """True for an app whose requests must bring a nonce, as nothing else ties its codes to them.

        Some products can do neither that nor PKCE. They are let off, with a warning at the desk: their secret and the
        state that they check must do.
        """
        return not self.pkce and self.product not in self.WITHOUT_NONCE

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


def there_is(rows: "models.QuerySet[Any, Any]") -> IsNull:
    """Returns a condition that is true if `rows`, which refer to the row outside, has one.

    PostgreSQL asks it for each row outside, by an index. For an EXISTS beside an OR it may read all rows and hash them,
    such as all members of all groups, to learn of one person.
    """
    return IsNull(Subquery(rows.values("pk")[:1]), False)


def still_allowed() -> Q:
    """Returns what the row of a login must meet besides (Login.objects.alive()).

    Its app is on and still lets the person in.
    """
    mine = App.groups.through.objects.filter(app=OuterRef("app"), group__user=OuterRef("person"))
    staff = Q(person__is_staff=True) | Q(person__is_superuser=True)
    return (
        Q(Q(app__everybody=True) | Q(there_is(mine)), app__is_active=True)
        & (Q(app__staff_only=False) | staff)
        & (Q(app__second_factor=False) | Q(factor__in=SHOWN_FACTORS))
    )
