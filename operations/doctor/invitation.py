"""Why an invitation did not arrive: what became of it, of its mail and of its address."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from invites.models import Invite
from kit import addresses
from kit.findings import Finding, broken, examine, odd, well
from operations.doctor.outbox import queue
from outbox.mail import lateness
from outbox.models import OutboxMessage, Suppression

AGAIN = "Send it again: manage.py resend_invites --email ADDRESS"
STATE, SOURCE, STATUS = Invite.State, Invite.Source, OutboxMessage.Status


def explain(email: str, invite: Invite | None) -> list[Finding]:
    """What keeps mail of the newest invite of an address, or of this one, from being read. Raises DatabaseError."""
    account = User.objects.filter(email=email).first()
    mail = invite.newest_mail if invite else newest_to(email)
    return examine(
        {
            "invite": lambda: of_invite(invite),
            "account": lambda: of_account(account),
            "address": lambda: of_address(email, known=account is not None),
            "sign-up": lambda: of_rule(email, known=account is not None),
            "mail": lambda: of_mail(mail, invite),
            "queue": lambda: queue() if mail and mail.status in {STATUS.QUEUED, STATUS.TRIED} else None,
        }
    )


def newest_to(email: str) -> OutboxMessage | None:
    return OutboxMessage.objects.filter(recipient=email).order_by("-id").defer("parts").first()


def of_invite(invite: Invite | None) -> Finding:
    """Its state, and what can be done about that."""
    if invite is None:
        return broken("There is no invite to this address.", "Invite it: manage.py send_invites ADDRESS")
    if invite.source == SOURCE.OWNER:
        return broken("It is an owner link, which is never mailed.", "Print it: manage.py owner_link --email ADDRESS")
    if invite.source == SOURCE.SHADOW:
        said = "A member invited somebody who has an account, or an invite of somebody else; it opens nothing."
        return odd(said, "Ask about the address instead: manage.py doctor ADDRESS")
    if invite.replaced_at:
        said = f"A newer one took its place on {on(invite.replaced_at)}; its links are dead."
        return broken(said, "Ask about the address instead: manage.py doctor ADDRESS")
    return of_state(invite)


def of_state(invite: Invite) -> Finding:
    until, asked = on(invite.expires_at), invite.source == SOURCE.SELF
    again = "They ask for a new one on the start page." if asked else AGAIN
    if invite.state == STATE.CLAIMED and invite.claimed_at:
        return well(f"It was accepted on {on(invite.claimed_at)}, so it did arrive.")
    if invite.state == STATE.DECLINED and invite.declined_at:
        said = f"Who has the mailbox said no on {on(invite.declined_at)}."
        return broken(said, "If they think otherwise now: manage.py resend_invites --email ADDRESS --state declined")
    if invite.state == STATE.REVOKED and invite.revoked_at:
        said = f"It was withdrawn on {on(invite.revoked_at)}, and mail that waited was not sent."
        return broken(said, "Invite anew: manage.py send_invites ADDRESS")
    if invite.state == STATE.EXPIRED:
        return broken(f"It ran out on {until}.", again)
    opened = f" Its link was opened on {on(invite.opened_at)}, so it did arrive." if invite.opened_at else ""
    return well(f"It works until {until}.{opened}")


def of_account(account: User | None) -> Finding | None:
    if account is None:
        return None
    if not account.is_active:
        return broken("The address has an account, which is turned off.", "Turn it on at the desk, under People.")
    said = f"It has an account since {on(account.joined_at)}: what is mailed to it is a link to sign in."
    return odd(said, f"They sign in at {settings.SITE_URL}/login.")


def of_address(email: str, *, known: bool) -> Finding | None:
    """Whether mail goes to it at all."""
    suppression = Suppression.objects.of(email)
    if suppression is None:
        meant = "" if known else addresses.suggestion(email)
        return odd(f"It looks like a typo of {meant}.", "Ask them for their address.") if meant else None
    if suppression.is_wish:
        return broken(f"No mail goes to it: {suppression.explanation}.", "Leave it at that: it is theirs to take back.")
    lift = "If it works again, lift it at the desk under Suppressed addresses, then send the invite again."
    return broken(f"No mail goes to it: {suppression.explanation}", lift)


def of_rule(email: str, *, known: bool) -> Finding | None:
    if known or Invite.objects.may_join(email):
        return None
    said = "SIGNUP is “invited” and nobody has an open invitation for it: who asks is mailed that, without a link."
    return broken(said, "Invite it: manage.py send_invites ADDRESS")


def of_mail(mail: OutboxMessage | None, invite: Invite | None) -> Finding | None:
    """What became of the newest mail."""
    if mail is None:
        if invite is None or invite.source in Invite.UNLINKED or invite.revoked_at:
            return None
        old = "There is no mail of it: it was withdrawn, or pruned after a year."
        return broken(old, AGAIN)
    return of_waiting(mail) if mail.status in {STATUS.QUEUED, STATUS.TRIED} else of_ended(mail)


def of_waiting(mail: OutboxMessage) -> Finding:
    now, written = timezone.now(), on(mail.created_at)
    if mail.status == STATUS.TRIED:
        said = f"It was tried {mail.attempts}×. The mail server’s last answer: {mail.last_answer}."
        then = f"It is tried again on {on(mail.next_try_at)}."
        return odd(f"{said} {then}", "When the cause is gone: manage.py retry_mail --email ADDRESS")
    if mail.created_at > now:
        return well(f"It leaves on {written}: many were invited at once, and their mails leave in step.")
    if now - mail.created_at > lateness.LATE_AFTER:
        return broken(f"It waits since {written}, and no worker has tried it.", "See that deliver_mail runs.")
    return well(f"It was written on {written} and leaves any moment.")


def of_ended(mail: OutboxMessage) -> Finding:
    if mail.bounced_at:
        said = f"It came back on {on(mail.bounced_at)}: {mail.last_answer}"
        return broken(said, "Send it to an address that works, or ask them to look at their mailbox.")
    if mail.sent_at:
        words = f", with the words “{mail.last_answer}”" if mail.last_answer else ""
        said = f"A mail server took it on {on(mail.sent_at)}{words}."
        look = "Let them look into their spam folder; else look for"
        return well(said, f"{look} {mail.message_id} in the log of that server.")
    given_up_at = mail.given_up_at or timezone.now()
    said = f"It was given up on {on(given_up_at)}: {mail.last_answer}"
    return broken(said, "Put right what the answer says, then: manage.py retry_mail --email ADDRESS --given-up")


def on(moment: datetime) -> str:
    """With its year: it may be long ago."""
    return f"{moment.day} {moment:%b %Y at %H:%M} (UTC)"
