"""The ways into an account besides mailed links: how they are dropped, and how a new password drops all others."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import identify_hasher, make_password
from django.db import transaction
from django.utils import timezone

from accounts import passwords, preferences
from accounts.models.event import Event
from kit.lane import Full

if TYPE_CHECKING:
    from accounts.models.user import User


class WaysIn:
    """`user.ways_in`: the user's password, Google account and known devices, as far as they let somebody in."""

    def __init__(self, user: "User") -> None:
        self.user = user

    def change_password(self, password: str | None = None, *, encoded: str = "", **trace: Any) -> None:
        """Sets a new password, ends every session, drops every other way in, and mails the owner what was dropped.

        `password` is as typed; `encoded` is a hash of it, made before. One of them must be given. Mails about the
        account are turned on again. A second factor stays: it protects the account from a thief who reads the mailbox.
        The mail says how to remove one that a thief has set up. `trace` is the ip and device of the request. Raises
        Superseded if all sessions of the account have ended since the user was read.
        """
        if password is not None:
            encoded = make_password(passwords.normalize(password))  # it may wait: nobody else should for the row
        if not encoded:
            raise ValueError("no new password")
        with transaction.atomic():
            self.user.lock_or_raise()
            self.user.password = encoded
            self.user.password_changed_at = timezone.now()
            self.user.save(update_fields=["password", "password_changed_at"])
            dropped, factor_stays = self.drop(**trace), self.user.second_factor.is_on
            self.user.end_sessions()
            self.user.record_and_notify(Event.Kind.PASSWORD_CHANGED, factor_stays=factor_stays, **dropped, **trace)

    def renew_hash(self, password: str) -> None:
        """If the parameters of the stored hash are old, stores a new one of the right, typed `password`.

        It does nothing if the password has changed meanwhile, which a sign-in under way must not undo, or if too many
        hashes wait: the next sign-in will do.
        """
        user = self.user
        if not identify_hasher(user.password).must_update(user.password):
            return
        with suppress(Full):
            encoded = make_password(passwords.normalize(password))
            if type(user).objects.filter(pk=user.pk, password=user.password).update(password=encoded):
                user.password = encoded

    def remove(self, **trace: Any) -> None:
        """Removes the password, and all that drop() drops; mailed links are left to sign in by.

        `trace` is the ip and device of the request. Opens no transaction. The caller must end the sessions as well, and
        decide what becomes of the second factor.
        """
        self.drop(**trace)
        self.user.set_unusable_password()
        self.user.save(update_fields=["password"])

    def drop(self, **trace: Any) -> dict[str, Any]:
        """Drops every way in that neither the password nor the mailbox has proven: Google, and all known devices.

        A thief may have added them, and nothing tells theirs from the owner's: not even the address that Google names,
        as it may have changed hands. Turns mails about the account on again. Records that Google was dropped. Returns
        for the event about all this: `google`, the address that Google has named, or "", and `heard_again`, whether
        mails were off. `trace` is the ip and device of the request. Opens no transaction; the caller has locked the
        account's row. The caller must end the sessions as well: with them end trusted browsers, links mailed before,
        and changes of address and sign-ins that wait for a code.
        """
        google = self.user.google.drop(**trace)
        self.forget_devices()
        return {"google": google, "heard_again": self._break_silence()}

    def _break_silence(self) -> bool:
        """Turns on again all that the owner is mailed about (preferences.TELL): a thief may have turned it off.

        Returns False if all of it was on. Opens no transaction; the caller has locked the account's row.
        """
        self.user.refresh_from_db(fields=["settings"])
        silenced = preferences.silenced(self.user.settings)
        if silenced:
            self.user.settings |= dict.fromkeys(silenced, True)
            self.user.save(update_fields=["settings"])
            self.user.announce_update("settings")
        return bool(silenced)

    def forget_devices(self) -> None:
        """Makes every device count as new: the next sign-in there is mailed to the owner, and no browser is trusted."""
        self.user.devices_forgotten_at = timezone.now()
        self.user.save(update_fields=["devices_forgotten_at"])
