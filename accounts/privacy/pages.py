"""The pages to download what is stored about oneself, and to delete one's account."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Event
from accounts.password import again
from accounts.privacy.export import stream_zip
from accounts.privacy.leave import NotNow, leave
from accounts.privacy.leave_form import LeaveForm
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bind_form


@account_page(changes=True, asks=False)
def export(request: PersonRequest) -> HttpResponseBase:
    """Answers a POST with a ZIP of all that is stored about the user, records that, and mails them about it.

    The POST asks for proof first, unless it is there. With the proof it leads back to the account page, where one more
    press downloads: a download would leave the page that asks on the screen. A GET, as by a reload of its address,
    leads to the account page, too. Raises Limited after too many requests.
    """
    if request.method != "POST":
        return redirect("account")
    user = request.person
    if asked := again.ask(request, _("Download my data"), reverse("account")):
        return asked
    if again.is_answered(request):
        said = _("You’ve shown that it’s you. Now press “Download my data” once more, within 15 minutes.")
        messages.success(request, said)
        return redirect(f"{reverse('account')}#data")
    user.record_and_notify(Event.Kind.EXPORTED, **request.trace)
    file = {"Content-Disposition": f'attachment; filename="{user.username}.zip"'}
    return StreamingHttpResponse(stream_zip(user), content_type="application/zip", headers=file)


@account_page(secret=("password", "code"), asks=False)
def delete(request: PersonRequest) -> HttpResponse:
    """Shows what is deleted with the account, asks when, and for proof of ownership; the POST deletes the account.

    At once, or in 14 days unless its owner comes back. The POST mails the owner and leads to the start page, with
    nobody signed in; or to the sign-in page, and changes nothing, if all sessions of the account have ended meanwhile.
    The last superuser can't leave (409), and if the database fails, nothing is deleted (503); the page says so. Raises
    Limited after too many passwords or requests.
    """
    form = bind_form(LeaveForm, request)
    if not form.is_valid():
        return delete_page(request, form)
    try:
        messages.success(request, leave(request, form))
    except NotNow as error:
        messages.warning(request, str(error.words))
        return delete_page(request, form, status=error.status)
    return redirect("entry")


def delete_page(request: PersonRequest, form: LeaveForm, status: int = 200) -> HttpResponse:
    """Returns the page that asks before the deletion, with this form and the numbers of sessions and events."""
    user = request.person
    context = {"form": form, "session_count": user.sessions.live().count(), "event_count": user.events.count()}
    return render(request, "accounts/privacy/delete.html", context, status=status)
