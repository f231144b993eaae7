"""The first day at the desk: three steps for whoever is there alone, each gone when it is done."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from operations.desk.test_mail import KIND
from outbox.models import OutboxMessage
from outbox.replies_in_words import reason

PATIENCE = timedelta(minutes=1)  # for a test mail; if it then still waits, nobody delivers


@dataclass(frozen=True)
class FirstDay:
    """What became of the newest test mail, in a sentence ("" without one), and which steps are still to do."""

    email: str
    told: str
    mail_works: bool
    has_product: bool

    @property
    def heading(self) -> str:
        """How many steps are left."""
        left = 1 + (not self.mail_works) + (not self.has_product)
        said = ngettext("%(count)s step and the door is open", "%(count)s steps and the door is open", left)
        return said % {"count": left}


def first_day(person: User) -> FirstDay:
    """Returns what the person has done, and what is left."""
    mails = OutboxMessage.objects.filter(recipient=person.email, kind=KIND).order_by("-id")
    mail = mails.defer("parts").first()
    works = mail is not None and mail.status == mail.Status.SENT
    return FirstDay(person.email, in_words(mail) if mail else "", works, bool(settings.PRODUCT_URL))


def in_words(mail: OutboxMessage) -> str:
    """Returns what became of a test mail: what the mail server answered, or that it still waits."""
    said = {"answer": mail.last_answer, "why": reason(mail.last_answer)}
    if mail.status == mail.Status.SENT and said["answer"]:
        return _("The test mail has left. The mail server answered: %(answer)s") % said
    if mail.status == mail.Status.SENT:
        return _("The test mail has left: it was written into a folder of this machine.")
    if mail.status == mail.Status.TRIED:
        return _("The test mail has not left: %(why)s. It is tried again. The answer was: %(answer)s") % said
    if mail.status != mail.Status.QUEUED:
        return _("The test mail did not arrive: %(why)s. The answer was: %(answer)s") % said
    if timezone.now() - mail.created_at > PATIENCE:
        return _("The test mail still waits. See that manage.py deliver_mail runs.")
    return _("The test mail is on its way. Look again in a moment.")
