"""Inviting at the desk as staff do: the form, its preview, and the button that sends."""

from invites.models import Batch

LISTS = "/admin/invites/batch/"


def check(desk, pasted="", **fields):
    """Returns the preview of what was typed, or the form with what is wrong."""
    return desk.post(f"{LISTS}add/", {"pasted": pasted} | fields, follow=True)


def page_of(batch, page="change"):
    return f"{LISTS}{batch.pk.replace('_', '_5F')}/{page}/"


def send(desk, batch, **ticked):
    """Presses the button that sends a checked list, and returns the page of the list."""
    return desk.post(page_of(batch, "send"), ticked, follow=True)


def invite(desk, pasted, **fields):
    """Checks what was typed and sends it. Returns the last page; the preview, if it offers nobody to send to."""
    before = set(Batch.objects.values_list("pk", flat=True))
    page = check(desk, pasted, **fields)
    made = Batch.objects.exclude(pk__in=before).first()
    return send(desk, made) if made and made.people else page
