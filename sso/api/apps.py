"""JSON doors to the apps of the signed-in person."""

from django.db import IntegrityError
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.models import User
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in
from kit.json_door import Fields, Invalid, Refused, door, message
from sso import access
from sso.connected import connections
from sso.connected.sentences import disconnected
from sso.launch.tiles import link, open_apps
from sso.models import App


@door("GET", guard=signed_in)
def list_apps(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Answers with the apps that let the person in, by name, at most 100.

    Each has its id, name, `url` (a path here that leads on to it) and `last_used`, when the person last signed in to
    it, or null. Answers 401 to anyone not signed in.
    """
    rows = [
        {"id": app.pk, "name": app.name, "url": link(app), "last_used": app.last_used}
        for app in open_apps(request.person)
    ]
    return JsonResponse({"apps": rows})


@door("POST", limits.POST_PER_NETWORK, guard=changes)
def ask(request: PersonRequest, sent: Fields, pk: str) -> HttpResponse:
    """Stores that the person asks to be let into the app with this id, with one line of theirs in `words`, or none.

    Answers with a message, the same whether they have asked before; 404 if there is no such app, or nothing to ask for;
    400 for a line that is too long or has a link, 429 after too many changes, and 401 to anyone not signed in.
    """
    app = find_closed(request.person, pk)
    form = access.AskForm(sent)
    if not form.is_valid():
        raise Invalid(form)
    try:
        access.ask(app, request.person, form.cleaned_data["words"], **request.trace)
    except IntegrityError:  # deleted meanwhile: the app, or the person, whom the guard finds gone
        find_closed(request.person, pk)
        raise
    return message(_("We’ve asked for you. The answer comes by email."))


def find_closed(person: User, pk: str) -> App:
    """Returns the app with this id, which the person may ask for. Raises Refused if there is none."""
    app = App.objects.with_access_of(person).by_id(pk).first()
    if app is None or not access.may_ask(app, person):
        raise Refused(404, "not_found", _("There is no such app, or nothing to ask for."))
    return app


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def disconnect(request: PersonRequest, _sent: Fields, pk: str) -> HttpResponse:
    """Disconnects the person from the app with this id, as the button on the account page does.

    Answers with a message, 404 if they were not connected, 429 after too many requests, and 401 to anyone not signed
    in.
    """
    app = connections.disconnect(request.person, pk, **request.trace)
    if app is None:
        raise Refused(404, "not_found", _("That app was not connected any more."))
    return message(disconnected(app))
