"""Why the mail of an invitation or a link did not arrive: what became of it, of its mail and of its address."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from invites import who_may_join
from invites.models import Invite, MagicLink
from kit import addresses
from kit.findings import Finding, examine, failure, ok, warning
from operations.doctor.outbox import queue
from outbox.mail import lateness
from outbox.models import OutboxMessage, Suppression

AGAIN = "Send it again: manage.py resend_invites --email ADDRESS"
ASK_AGAIN = "They can ask for a new one on the start page."
STATUS = OutboxMessage.Status
AGAINST = {
    who_may_join.Obstacle.INVITED: "SIGNUP is “invited” or “request”",
    who_may_join.Obstacle.ELSEWHERE: "SIGNUP is “domains”, its domain is not among SIGNUP_DOMAINS",
    who_may_join.Obstacle.BLOCKED: "Its domain is among BLOCKED_DOMAINS",
    who_may_join.Obstacle.DISPOSABLE: "DISPOSABLE_MAILBOXES is “refuse”, its domain is known for these",
}
InviteOrLink = Invite | MagicLink


def find_newest(email: str) -> InviteOrLink | None:
    """Returns what was sent to an address last: an invitation, or a link that the visitor asked for; or None.

    A link that belongs to an invitation is never returned: then it is the invitation.
    """
    invite = Invite.objects.filter(email=email).order_by("-id").first()
    links = MagicLink.objects.with_spent().asked_for().select_related("invite")
    link = links.filter(email=email).order_by("-id").first()
    return link if link and not link.invite and (invite is None or link.pk > invite.pk) else invite


def find(pk: UUID) -> InviteOrLink | None:
    """Returns the invitation, or else the link, with this id; None if there is none.

    Returns None, too, if the person it was for has left: its address is empty then.
    """
    invite = Invite.objects.exclude(email="").filter(pk=pk).first()
    links = MagicLink.objects.with_spent().select_related("invite")
    return invite or links.exclude(email="").filter(pk=pk).first()


def explain(email: str, asked: InviteOrLink | None) -> list[Finding]:
    """Returns the findings on why mail to an address was not read: the mail of `asked`, or else the newest mail.

    Raises DatabaseError or InterfaceError if the database is away at the first questions; later errors become findings.
    """
    account = User.objects.filter(email=email).first()
    mail = asked.newest_mail if asked else newest_mail_to(email)
    return examine(
        {
            "invite": lambda: about_asked(asked),
            "account": lambda: about_account(account),
            "address": lambda: about_address(email, known=account is not None),
            "sign-up": lambda: about_rule(email, known=account is not None),
            "mail": lambda: about_mail(mail, asked),
            "queue": lambda: queue() if mail and mail.status in {STATUS.QUEUED, STATUS.TRIED} else None,
        }
    )


def newest_mail_to(email: str) -> OutboxMessage | None:
    """Returns the newest mail to an address, without its parts, or None."""
    return OutboxMessage.objects.filter(recipient=email).order_by("-id").defer("parts").first()


def about_asked(asked: InviteOrLink | None) -> Finding:
    """Returns the finding on an invitation or link: its state, and what can be done; a failure for None."""
    if asked is None:
        return failure("There is no invite to this address.", "Invite it: manage.py send_invites ADDRESS")
    return about_link(asked) if isinstance(asked, MagicLink) else about_invite(asked)


def about_link(link: MagicLink) -> Finding:
    """Returns the finding on a magic link: its state, and what can be done about it."""
    if is_owner_link(link):
        return failure("It is an owner link, which is never mailed.", "Print it: manage.py owner_link --email ADDRESS")
    if link.state == link.State.USED:
        link.read_use()
        return ok(f"It was used on {on(link.used_at or timezone.now())}, so it did arrive.")
    if link.invite and (link.invite.declined_at or link.invite.revoked_at or link.invite.replaced_at):
        return about_invite(link.invite)
    if link.revoked_at:
        return failure(f"It was withdrawn on {on(link.revoked_at)}, and mail that waited was not sent.", ASK_AGAIN)
    if link.state == link.State.EXPIRED:
        return failure(f"It expired on {on(link.expires_at)}.", ASK_AGAIN)
    return about_open(link)


def about_invite(invite: Invite) -> Finding:
    """Returns the finding on an invitation: its state, and what can be done about it."""
    if invite.replaced_at:
        said = f"A newer invite replaced it on {on(invite.replaced_at)}; its links are dead."
        return failure(said, "Ask about the address instead: manage.py doctor ADDRESS")
    if invite.accepted_at:
        return ok(f"It was accepted on {on(invite.accepted_at)}, so it did arrive.")
    if invite.declined_at:
        said = f"The owner of the mailbox declined it on {on(invite.declined_at)}."
        return failure(said, "If they now want it: manage.py resend_invites --email ADDRESS --state declined")
    if invite.revoked_at:
        said = f"It was withdrawn on {on(invite.revoked_at)}, and mail that waited was not sent."
        return failure(said, "Invite the address again: manage.py send_invites ADDRESS")
    if invite.is_expired:
        return failure(f"It expired on {on(invite.expires_at)}.", AGAIN)
    return about_open(invite)


def about_open(asked: InviteOrLink) -> Finding:
    """Returns the finding on an invitation or link that works: until when, and whether it has been opened."""
    opened = f" Its link was opened on {on(asked.opened_at)}, so it did arrive." if asked.opened_at else ""
    return ok(f"It works until {on(asked.expires_at)}.{opened}")


def is_owner_link(asked: InviteOrLink | None) -> bool:
    """Returns whether it is a link that `owner_link` has printed; such links are never mailed."""
    return isinstance(asked, MagicLink) and asked.purpose == asked.Purpose.OWNER


def about_account(account: User | None) -> Finding | None:
    """Returns a failure for an account that is turned off, a warning for any other; None if there is no account.

    An address with an account is mailed links to sign in, and no invitation.
    """
    if account is None:
        return None
    if not account.is_active:
        return failure("The address has an account, which is turned off.", "Turn it on at the desk, under People.")
    said = f"It has had an account since {on(account.joined_at)}, so it is mailed a link to sign in."
    return warning(said, f"They sign in at {settings.SITE_URL}/login.")


def about_address(email: str, *, known: bool) -> Finding | None:
    """Returns a failure for a suppressed address, a warning for one that looks like a typo; for others None.

    An address with an account (`known`) is no typo.
    """
    suppression = Suppression.objects.of(email)
    if suppression is None:
        meant = "" if known else addresses.suggestion(email)
        return warning(f"It looks like a typo of {meant}.", "Ask them for their address.") if meant else None
    if suppression.is_opt_out:
        return failure(
            f"No mail goes to it: {suppression.explanation}.",
            "Leave it at that: only the owner of the address can take it back.",
        )
    lift = "If it works again, lift it at the desk under “Addresses we don’t write to”, then send the invite again."
    return failure(f"No mail goes to it: {suppression.explanation}", lift)


def about_rule(email: str, *, known: bool) -> Finding | None:
    """Returns a failure if this address may make no account; None if it may, or has one (`known`)."""
    if known or Invite.objects.may_join(email):
        return None
    why = AGAINST[who_may_join.obstacle(email) or who_may_join.Obstacle.INVITED]
    said = f"{why}, and it has no open invite: it is mailed no link, only that it needs an invitation."
    return failure(said, "Invite it: manage.py send_invites ADDRESS")


def about_mail(mail: OutboxMessage | None, asked: InviteOrLink | None) -> Finding | None:
    """Returns the finding on the newest mail; without one a failure, or None if no mail is expected.

    No mail is expected without `asked`, or if `asked` is revoked or an owner link.
    """
    if mail is None:
        if asked is None or asked.revoked_at or is_owner_link(asked):
            return None
        old = "There is no mail about it: the mail was withdrawn, or pruned after a year."
        return failure(old, AGAIN if isinstance(asked, Invite) else ASK_AGAIN)
    return about_waiting(mail) if mail.status in {STATUS.QUEUED, STATUS.TRIED} else about_ended(mail)


def about_waiting(mail: OutboxMessage) -> Finding:
    """Returns the finding on a mail that has not left: when it is due, and whether a worker has tried it."""
    now, written = timezone.now(), on(mail.created_at)
    if mail.status == STATUS.TRIED:
        said = f"It was tried {mail.attempts}×. The mail server’s last answer: {mail.last_answer}."
        then = f"It is tried again on {on(mail.next_try_at)}."
        return warning(f"{said} {then}", "Once the cause is gone: manage.py retry_mail --email ADDRESS")
    if mail.created_at > now:
        return ok(f"It leaves on {written}: many were invited at once, and their mails leave in step.")
    if now - mail.created_at > lateness.LATE_AFTER:
        return failure(f"It has waited since {written}, and no worker has tried it.", "See that deliver_mail runs.")
    return ok(f"It was written on {written} and leaves any moment.")


def about_ended(mail: OutboxMessage) -> Finding:
    """Returns the finding on a mail that has bounced, been handed over, or been given up."""
    if mail.bounced_at:
        said = f"It came back on {on(mail.bounced_at)}: {mail.last_answer}"
        return failure(said, "Send it to an address that works, or ask them to look at their mailbox.")
    if mail.sent_at:
        words = f", with the words “{mail.last_answer}”" if mail.last_answer else ""
        said = f"A mail server took it on {on(mail.sent_at)}{words}."
        look = "Ask them to look into their spam folder. If it is not there, look for"
        return ok(said, f"{look} {mail.message_id} in the log of that server.")
    given_up_at = mail.given_up_at or timezone.now()
    said = f"It was given up on {on(given_up_at)}: {mail.last_answer}"
    return failure(said, "Correct what the answer complains of, then: manage.py retry_mail --email ADDRESS --given-up")


def on(moment: datetime) -> str:
    """Returns a time in words with its year, as it may be long ago: "21 Nov 2025 at 14:00 (UTC)"."""
    return f"{moment.day} {moment:%b %Y at %H:%M} (UTC)"
