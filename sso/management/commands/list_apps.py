"""manage.py list_apps"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from kit.commands import arguments, command
from sso.models import App


class Command(command.Command):
    help = "Lists the apps that let people in by OpenID Connect or a proxy: who may come in, and who has lately."
    examples: ClassVar[tuple[str, ...]] = ("", "--format csv", "--format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.answer(parser, ("text", "csv", "json"))

    def handle(self, *args: Any, **options: Any) -> None:
        apps = list(App.objects.select_related("client").prefetch_related("groups").order_by("client__name", "pk"))
        App.objects.count_use(apps)
        rows = [row(app) for app in apps]
        lines = [f"{found['id']}  {found['name']}: {lets_in(found)}, {state(found)}" for found in rows]
        columns = ("id", "name", "is_active", "who", "people", "last_use", "start_url")
        table = [columns, *([lets_in(found) if name == "who" else found[name] for name in columns] for found in rows)]
        self.tell({"apps": rows}, "\n".join(lines) or "No app yet", table)


def row(app: App) -> dict[str, Any]:
    """Returns what is told of an app, by name."""
    return {
        "id": app.pk,
        "name": app.name,
        "product": app.product,
        "is_active": app.is_active,
        "everybody": app.everybody,
        "groups": sorted(group.name for group in app.groups.all()),
        "people": app.people,
        "last_use": app.last_use,
        "start_url": app.start_url,
        "redirect_uris": app.client.get_redirect_uris(),
        "logout_uri": app.logout_uri,
    }


def lets_in(found: dict[str, Any]) -> str:
    """Returns who may come in to an app, in words."""
    return "everybody" if found["everybody"] else ", ".join(found["groups"]) or "nobody"


def state(found: dict[str, Any]) -> str:
    """Returns how an app is used, in words."""
    if not found["is_active"]:
        return "turned off"
    return f"{command.number_of(found['people'], 'person', 'people')} lately" if found["people"] else "nobody lately"
