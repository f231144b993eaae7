"""The mail that a person of a checked list would get, and the page it opens, without a token and before it is sent.

The mail is made by what makes the real one (invites/mails.py, outbox/mail/compose.py); the page has its template.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import preferences
from accounts.models import User
from invites import mails
from invites.desk.preview import MAILED
from invites.link.elsewhere import HereForm
from invites.models import Batch, Invite, MagicLink
from invites.models.entries import unpack
from invites.sign_up import unsent
from outbox.mail.compose import render_parts
from outbox.models import OutboxMessage

HIDDEN = "…"  # instead of the username of somebody whom the person may not see at the desk


@dataclass(frozen=True)
class Letter:
    """What one person of a list would get: an invitation that is not stored, and their account, if they have one."""

    place: int  # among the entries of the list, from 0
    invite: Invite
    account: User | None

    def mail(self, leads_to: str) -> OutboxMessage:
        """Returns the mail, not stored yet, of which all links lead to the URL `leads_to`."""
        accounts = {self.account.email: self.account} if self.account else {}
        [mail] = mails.invitations([self.invite], None, accounts)
        links = dict.fromkeys(mail.parts["links"], leads_to)
        mail.parts |= {"links": {}, "one_click": [], "context": mail.parts["context"] | links}
        return mail

    def rendered(self, leads_to: str) -> dict[str, Any]:
        """Returns the parts of the mail as render_parts() does, with all its links leading to the URL `leads_to`."""
        mail = self.mail(leads_to)
        return render_parts(mail.kind, mail.recipient, **mail.parts)

    def page(self, request: HttpRequest) -> HttpResponse:
        """Returns the page that the mail opens, as a browser shows it that nobody is signed in to."""
        if self.account is None:
            return unsent.show(request, self.invite)
        link = MagicLink(email=self.invite.email, expires_at=self.invite.expires_at, invite=self.invite)
        context: dict[str, Any] = {"link": link, "invite": self.invite, "account": self.account}
        context |= {"groups": ", ".join(self.invite.promised.values()), "token": unsent.NOWHERE}
        with preferences.override(self.account.settings, self.invite.language):
            context["form"] = HereForm(asked=False)  # as in a browser that the account does not know
            return render(request, "invites/link/into_groups.html", context | {"decline_url": unsent.NOWHERE})


def find(batch: Batch, place: str, by: User) -> Letter | None:
    """Returns what the person at this place of a list would get from `by`.

    For any other text that is the first person who would be mailed; None if nobody would be.
    """
    mailed = [number for number, row in enumerate(batch.entries) if row["fate"] in MAILED]
    if not mailed:
        return None
    mailed.sort(key=lambda number: batch.entries[number]["fate"] == "doubted")
    number = next((number for number in mailed if str(number) == place), mailed[0])
    entry = unpack(batch.entries[number])
    invite = Invite.objects.of(entry, source=batch.source, invited_by=by)
    account = Invite.objects.sift([entry]).joining.get(entry.email)
    if account and not by.has_perm("accounts.view_user"):
        account.username = HIDDEN
    return Letter(number, invite, account)
