"""The page behind “Keep my account”, the link in the mail to somebody who has left."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.limits import POST_PER_NETWORK
from invites.link import keeping, opened
from kit.page import page


@page(POST_PER_NETWORK)
def keep(request: HttpRequest) -> HttpResponse:
    """Shows until when the account can be kept, and one button. Its POST keeps it, and leads to sign-in.

    It needs the mail's token, and no session; it signs nobody in. A GET changes nothing: mail servers open links too.
    Whoever opens it again learns that the account stays. An invalid token, and that of a deleted account, gets a page
    (404). Raises Limited when a network has posted too often, or too many invalid tokens.
    """
    token = opened.sent_token(request)
    try:
        event = keeping.find(request, token)
        if request.method != "POST":
            return render(request, "invites/link/keep.html", {"account": event.user, "token": token})
        keeping.keep(request, event)
    except keeping.Broken:
        return render(request, "invites/link/keep_broken.html", status=404)
    messages.success(request, _("Your account stays. Sign in to carry on."))
    return redirect("account_login")
