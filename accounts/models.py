"""Who you are, and where you are signed in."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.core.cache import caches
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import addresses, clients, names
from accounts.ids import uuid7


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        """The one way to make an account: with one verified primary address.

        The caller has proof of the address, or answers for it. Raises ValidationError for a malformed name or address,
        IntegrityError for a taken one.
        """
        user = self.model(username=names.normalize(username), email=addresses.normalize(email), **fields)
        user.set_password(password)
        with transaction.atomic():
            user.save(force_insert=True)
            user.own_address()
        return user

    def create_superuser(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, email, password, is_staff=True, is_superuser=True, **fields)

    def by_login(self, typed: str) -> "User | None":
        """Whoever signs in with this name or address; a name cannot hold an "@"."""
        login = typed.strip().lower()
        return self.filter(**{"email" if "@" in login else "username": login}).first()


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(_("username"), max_length=names.MAX_LENGTH, unique=True)
    email = models.EmailField(_("email address"), max_length=addresses.MAX_LENGTH, unique=True)
    # What the person chose: language, later time zone, theme and notices.
    settings = models.JSONField(default=dict, blank=True)
    # Mixed into the hash that each session carries: one higher, and every session of this user is void.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff status"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(username=Lower("username")), name="username_is_lower_case"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="email_is_lower_case"),
        ]

    def own_address(self) -> None:
        """Makes `email` this user's one address: verified, primary, and no other beside it."""
        with transaction.atomic():
            EmailAddress.objects.filter(user=self).exclude(email=self.email).delete()
            EmailAddress.objects.update_or_create(
                user=self, email=self.email, defaults={"verified": True, "primary": True}
            )

    def choose(self, **chosen: str) -> None:
        """Keeps what the person chose in the settings; what they chose before for other things stays."""
        with transaction.atomic():
            stored = User.objects.select_for_update().get(pk=self.pk).settings
            self.settings = stored | chosen
            self.save(update_fields=["settings"])

    def end_sessions(self) -> None:
        """Signs out everywhere.

        The epoch alone does it, even for copies that a returning Redis brings back; deleting rows is house-keeping.
        """
        keys = list(self.sessions.values_list("session_key", flat=True))
        with transaction.atomic():
            self.session_epoch = models.F("session_epoch") + 1
            self.save(update_fields=["session_epoch"])
            self.sessions.filter(session_key__in=keys).delete()
        caches["sessions"].delete_many([Session.cache_key(key) for key in keys])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()


class Session(AbstractBaseSession):
    """Django's session row, and whose it is. Written by accounts.sessions."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    ip = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[BaseSessionManager] = BaseSessionManager()

    CACHE_PREFIX = "session:"

    @classmethod
    def get_session_store_class(cls) -> type:
        from accounts.sessions import SessionStore  # noqa: PLC0415 it imports this module

        return SessionStore

    @property
    def device_name(self) -> str:
        return clients.describe(self.device)

    @classmethod
    def cache_key(cls, session_key: str) -> str:
        return f"{cls.CACHE_PREFIX}{session_key}"
