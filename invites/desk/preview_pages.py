"""The pages of a list that was checked and not sent yet: its preview, the mail and the page, and sending it."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import groups, power
from invites import limits
from invites.desk import batch_words as words
from invites.desk import compose_again, letter, preview
from invites.desk.batch_pages import STEER, BatchPages, staff
from invites.models import Batch, Invite, entries
from kit import csv_lines
from kit.framing import in_frame, with_frame
from outbox.mail.shown import AS_MAIL

# Links keep the session, for the page they open.
AS_MAIL_IN_FRAME = AS_MAIL | {"sandbox": ["allow-same-origin"]}


class PreviewPages(BatchPages):
    """The pages of a list that was checked: what becomes of each line, the mail, the page it opens, and sending."""

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST sends a list that names a group which grants permissions.

        With "again", now or when its sending began, also whether it renews an invitation into such a group.
        """
        match = getattr(request, "resolver_match", None)
        if match is None or match.url_name != "invites_batch_send":
            return super().asks_proof(request)
        batch = self.find_batch(request, match.kwargs["batch_id"])
        again = batch.again or "again" in request.POST
        return groups.grant_power(entries.groups(batch.entries)) or (again and renews_power(batch))

    def get_urls(self) -> list[URLPattern]:
        """Returns the addresses of these pages, before those of every batch."""
        pages = {"send": self.send, "unread": self.unread, "people": self.everybody}
        return self.paths(pages | {"mail": self.mail, "page": self.page, "to-me": self.mail_me}) + super().get_urls()

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Shows the preview of a batch that was not sent yet, else its progress. Has no POST.

        Raises PermissionDenied for a person who may not invite, Http404 for a batch that this person may not see.
        """
        batch = self.find_batch(request, object_id)
        return self.preview(request, batch) if batch.begun_at is None else self.progress(request, batch)

    @method_decorator(with_frame)
    def preview(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """Returns the page with what becomes of each line, the mail beside it, and the button that sends the list.

        The query says which lines are shown ("show", "p") and whose mail ("person").
        """
        context = preview.context(batch, request.GET.get("show", ""), request.GET.get("p", "1"))
        context["again"] = batch.counts.invited + batch.counts.declined if request.user.has_perm(STEER) else 0
        if found := letter.find(batch, request.GET.get("person", ""), staff(request)):
            context |= {"letter": found, "subject": found.rendered("")["subject"]}
        return self.render(request, "preview", batch, context)

    @method_decorator(in_frame(AS_MAIL_IN_FRAME))
    def mail(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows the mail to one "person" of the list as a mail program would or, with "text", its plain text.

        Raises PermissionDenied for a person who may not invite, Http404 if nobody is to be mailed, or for a batch that
        this person may not see.
        """
        found, where = self.find_letter(request, batch_id)
        parts = found.rendered(where)
        if "text" not in request.GET:
            return HttpResponse(parts["alternatives"][0][0])
        return HttpResponse(f"{parts['subject']}\n\n{parts['body']}", content_type="text/plain; charset=utf-8")

    @method_decorator(in_frame())
    def page(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows the page that the mail to one "person" of the list opens. No form on it can be sent.

        Raises PermissionDenied for a person who may not invite, Http404 if nobody is to be mailed, or for a batch that
        this person may not see.
        """
        return self.find_letter(request, batch_id)[0].page(request)

    @method_decorator(require_POST)
    def mail_me(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """By a POST sends the mail to one "person" of the list to the address of whoever asks, and leads back.

        Its links lead to the preview of the page. Raises Limited after too many, PermissionDenied for a person who may
        not invite, Http404 if nobody is to be mailed, or for a batch that this person may not see.
        """
        found, where = self.find_letter(request, batch_id)
        limits.SAMPLE_PER_STAFF.take(staff(request).pk.hex)
        mail = found.mail(where)
        mail.recipient, mail.about = staff(request).email, None
        mail.save()
        said = _("The mail is on its way to %(email)s. Its links open the preview of the page, and nothing else.")
        self.message_user(request, said % {"email": mail.recipient}, messages.SUCCESS)
        return redirect(f"{reverse('admin:invites_batch_change', args=[batch_id])}?person={found.place}")

    def find_letter(self, request: HttpRequest, batch_id: str) -> tuple[letter.Letter, str]:
        """Returns what the "person" of the list would get, and the URL of the page that its mail opens.

        Raises PermissionDenied for a person who may not invite, Http404 if nobody is to be mailed, or for a batch that
        this person may not see or that was sent.
        """
        batch = self.find_batch(request, batch_id)
        sent = request.POST if request.method == "POST" else request.GET
        found = letter.find(batch, sent.get("person", ""), staff(request)) if batch.begun_at is None else None
        if found is None:
            raise Http404
        page = reverse("admin:invites_batch_page", args=[quote(batch.pk)])
        return found, f"{settings.SITE_URL}{page}?{urlencode({'person': found.place})}"

    @method_decorator(require_POST)
    def send(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """By a POST invites everyone left in the list, each only once, and leads to the page of the batch.

        With "again" also mails people who are invited already or have declined, with "doubted" also likely typos. If
        the list names groups, this is recorded and mailed to the other superusers. Sends nothing, and says so, if a new
        check of the list finds changes, nobody would be mailed, the person is paused, or may not give its groups.
        Raises PermissionDenied for a person who may not invite or, with "again" or for another's list that is half
        sent, not change invitations, Http404 for a batch they may not see, Batch.DoesNotExist if it was just deleted.
        """
        batch = self.find_batch(request, batch_id)
        chosen = {name: name in request.POST for name in ("again", "doubted")}
        if chosen["again"] and not request.user.has_perm(STEER):
            raise PermissionDenied
        if batch.begun_at and not self.may_steer(request, batch):
            raise PermissionDenied
        if refusal := self.refusal(request, batch, chosen):
            self.message_user(request, refusal, messages.WARNING)
            return self.page_of(batch)
        with transaction.atomic():
            if batch.claim_for(staff(request), **chosen):
                record_groups(request, batch.groups(doubted=chosen["doubted"]))
        outcome = batch.send()
        self.tell(request, words.queued(outcome), outcome)
        return self.page_of(batch)

    def refusal(self, request: HttpRequest, batch: Batch, chosen: dict[str, bool]) -> str:
        """Returns the reason why the batch must not be sent yet or go on, or not by this person, in words, or "".

        `chosen` are the arguments of Batch.has_any(). Only a superuser may give groups that grant permissions, and who
        is paused may not invite. A list that was checked more than 15 minutes ago, and of which nothing was sent, is
        checked again, which saves its counts; if these have changed, the person must look at them first.
        """
        if staff(request).invites_paused_at:
            return words.paused()
        if not request.user.is_superuser and groups.grant_power(entries.groups(batch.entries)):
            return words.not_theirs()
        if batch.begun_at:
            return ""
        if batch.is_stale and batch.look_again():
            return words.changed()
        return "" if batch.has_any(**chosen) else words.nobody()

    @method_decorator(require_safe)
    def unread(self, request: HttpRequest, batch_id: str) -> StreamingHttpResponse:
        """Returns a CSV file, to be corrected, of the lines that could not be read or look mistyped.

        Raises PermissionDenied for a person who may not invite, Http404 for a batch that this person may not see.
        """
        batch = self.find_batch(request, batch_id)
        return csv_lines.download(csv_lines.lines(compose_again.bad_lines(batch)), f"{batch.pk}-bad-lines")

    @method_decorator(require_safe)
    def everybody(self, request: HttpRequest, batch_id: str) -> StreamingHttpResponse:
        """Returns a CSV file of all lines of a list that was not sent yet, and what would become of each.

        Raises PermissionDenied for a person who may not invite, Http404 for a batch that this person may not see.
        """
        batch = self.find_batch(request, batch_id)
        return csv_lines.download(csv_lines.lines(preview.table(batch)), batch.pk)


def renews_power(batch: Batch) -> bool:
    """Returns whether somebody in the list has an open invitation into a group that grants permissions."""
    emails = [row["email"] for row in batch.entries]
    return Invite.objects.open().filter(email__in=emails).into_power().exists()


def record_groups(request: HttpRequest, counted: dict[str, int]) -> None:
    """Records that the visitor sends invitations into groups, how many into each, and mails the other superusers.

    `counted` are the names of groups and the numbers of people. Leaves out groups that grant no permission.
    """
    powerful = set(groups.with_rights().filter(name__in=counted).values_list("name", flat=True))
    if powerful:
        named = ", ".join(f"{name} × {count}" for name, count in counted.items() if name in powerful)
        power.record(request, format_lazy("{} ({})", gettext_lazy("Invitations into groups"), named), done="added")
