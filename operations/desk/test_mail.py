"""The page that mails staff a test, so that they see whether mail arrives."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import notices
from accounts.session.account_page import PersonRequest, account_page

KIND = "test_mail"


@account_page(changes=True)
def send(request: PersonRequest) -> HttpResponse:
    """Leads to the desk's home. A POST first mails a test to the person's own address, and a message says so.

    Raises Limited after too many changes by the person, or requests from their network.
    """
    if request.method == "POST":
        notices.test_mail(request.person)
        said = _("A test mail to %(email)s is on its way. This page says what the mail server answers.")
        messages.success(request, said % {"email": request.person.email})
    return redirect("admin:index")
