"""The pages of the notes, and the door for Frontdoor's events."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

import frontdoor_client
from notes.models import Note, Person

SHOWN = 50  # newest notes
type View = Callable[..., HttpResponse]


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ("text",)
        labels = {"text": "Your note"}
        widgets = {"text": forms.Textarea(attrs={"rows": 4})}


def signed_in(view: View) -> View:
    """Decorator: hands `view` the person whom nginx names. Answers 401 if there is none, and 403 if they have left."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = frontdoor_client.who(request.headers)
        if person is None:  # nginx lets no such request pass
            return HttpResponse("Sign in first.", status=401, content_type="text/plain")
        if Person.objects.remember(person.id, person.name).has_left:
            raise PermissionDenied  # the account was deleted while this request was on its way
        return view(request, person, *args, **kwargs)

    return never_cache(wrapper)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def notes(request: HttpRequest, person: frontdoor_client.Person) -> HttpResponse:
    """Greets the person and shows the newest notes, with a form for another. POST stores it."""
    form = NoteForm(request.POST or None)
    if form.is_valid():
        form.instance.writer_id = person.id
        form.save()
        return redirect("notes")
    newest = Note.objects.select_related("writer")[:SHOWN]
    shown = [(note, note.may_be_changed_by(person)) for note in newest]
    return render(request, "notes.html", {"person": person, "form": form, "notes": shown})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def note(request: HttpRequest, person: frontdoor_client.Person, pk: UUID) -> HttpResponse:
    """Shows the form of one note to whoever may change it. POST stores the change, or deletes the note."""
    found = get_object_or_404(Note, pk=pk)
    if not found.may_be_changed_by(person):
        raise PermissionDenied
    if "delete" in request.POST:
        found.delete()
        return redirect("notes")
    form = NoteForm(request.POST or None, instance=found)
    if form.is_valid():
        form.save()
        return redirect("notes")
    return render(request, "note.html", {"person": person, "form": form})


@csrf_exempt  # a call from Frontdoor is signed instead
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Takes an event: a changed name, and the end of an account. Each may come twice, and in any order."""
    try:
        event = frontdoor_client.verified(settings.WEBHOOK_SECRET, request.headers, request.body)
    except ValueError:
        return HttpResponse(status=401)
    when = datetime.fromisoformat(event["occurred_at"])
    match event["event"]:
        case "user.deleted":
            Person.objects.forget(UUID(event["user"]), when)
        case "user.updated":
            Person.objects.rename(UUID(event["user"]), event.get("name") or event["username"], when)
    return HttpResponse(status=204)
