"""The command export_user: the user's own export, for an operator. The history records it."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Event
from tests.tools.factories import InviteFactory, LinkFactory


def run(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("login", ["ada", " Ada@Example.com"])
def test_the_command_exports_what_the_page_exports_and_is_recorded(signed_in, login):
    InviteFactory(email="ada@example.com")
    LinkFactory(email="ada@example.com")
    page = signed_in.post("/account/export")
    with zipfile.ZipFile(io.BytesIO(page.getvalue())) as archive:
        downloaded = {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}

    exported = json.loads(run("export_user", login))

    assert exported.keys() == downloaded.keys()
    assert exported["account"] == downloaded["account"]
    for part in ("invites", "links"):
        assert len(exported[part]) == 1
        assert exported[part] == downloaded[part]
    newest = Event.objects.order_by("-id").first()
    assert (newest.kind, newest.user.username, newest.detail) == ("exported", "ada", {"by": "command"})
    assert exported["events"][-1]["detail"] == {"by": "command"}


def test_an_unknown_person_is_a_usage_error(db):
    with pytest.raises(CommandError, match="nobody called nobody") as stopped:
        run("export_user", "nobody")

    assert stopped.value.returncode == 2
