"""manage.py add_app"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.db import transaction
from django.utils.text import format_lazy

from accounts import power
from kit.commands import arguments, command
from sso import products
from sso.app_form import EVERYBODY, GROUPS, AppForm
from sso.models import App

# The options that a field of the form comes from, for what is wrong with it.
OPTIONS = {
    "name": "NAME",
    "start_url": "--start",
    "redirect_uris": "--redirect",
    "who": "--group or --everybody",
    "groups": "--group",
    "pkce": "--no-pkce",
    "logout_uri": "--logout",
    "post_logout_uris": "--after-logout",
}


class Command(command.Command):
    help = (
        "Connects an app by OpenID Connect, as the desk does under Apps, and prints its id and its secret, once: only "
        "a hash of it is kept. Say who may come in: --everybody, or each --group. For a --product that is known, its "
        "address is enough. All superusers are mailed."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "Grafana --product grafana --start https://grafana.example.com --group editors",
        "Wiki --start https://wiki.example.com --redirect https://wiki.example.com/callback --everybody --no-consent",
        "Tool --start https://tool.example.com --redirect http://127.0.0.1/callback --everybody --public --format json",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what people read")
        starts = "where people open it; without it, the host of the first --redirect"
        parser.add_argument("--start", default="", metavar="URL", help=starts)
        leads = "where it takes people back, letter by letter; several times for several"
        parser.add_argument("--redirect", action="append", default=[], metavar="URI", help=leads)
        parser.add_argument("--product", choices=App.Product.values, default=App.Product.OTHER, help="what it is")
        lets_in = "a group that may come in, by name, and of which the app learns; several times for several"
        parser.add_argument("--group", action="append", default=[], metavar="NAME", help=lets_in)
        every = "everybody with an account may come in; then a --group only says of which groups the app learns"
        parser.add_argument("--everybody", action="store_true", help=every)
        parser.add_argument("--staff-only", action="store_true", help="of these, only staff")
        parser.add_argument("--second-factor", action="store_true", help="only after two-step verification")
        parser.add_argument("--no-consent", action="store_true", help="it is yours: people are not asked")
        parser.add_argument("--public", action="store_true", help="it runs on people's machines and has no secret")
        parser.add_argument("--no-pkce", action="store_true", help="it can't do PKCE; then it must send a nonce")
        parser.add_argument("--offline", action="store_true", help="it may stay signed in, for 30 days at most")
        told = "where it is told that somebody has signed out (back-channel logout)"
        parser.add_argument("--logout", default="", metavar="URI", help=told)
        after = "where it takes people after they have signed out; several times for several"
        parser.add_argument("--after-logout", action="append", default=[], metavar="URI", help=after)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        form = AppForm(typed(options))
        if not form.is_valid():
            raise CommandError(f"{faults(form)} Nothing was changed.", returncode=2)
        secret = add(form)
        app = form.instance
        found = {
            "id": app.pk,
            "secret": secret,
            "issuer": products.endpoints()["issuer"],
            "redirect_uris": form.redirects,
            "start_url": app.start_url,
            "logout_uri": app.logout_uri,
        }
        self.tell(found, in_words(app, secret))


def typed(options: dict[str, Any]) -> dict[str, Any]:
    """Returns what the options put into the fields of the form. Raises CommandError if there is no such group."""
    groups = dict(Group.objects.filter(name__in=options["group"]).values_list("name", "pk"))
    if missing := [name for name in options["group"] if name not in groups]:
        said = f"--group: there is no group {missing[0]!r}. A superuser makes groups at the desk, under Groups."
        raise CommandError(f"{said} Nothing was changed.", returncode=2)
    redirects = options["redirect"]
    return {
        "product": options["product"],
        "name": options["name"],
        "start_url": options["start"] or "/".join([*redirects, ""][0].split("/")[:3]),
        "redirect_uris": "\n".join(redirects),
        "who": EVERYBODY if options["everybody"] else GROUPS if groups else "",
        "groups": list(groups.values()),
        "staff_only": options["staff_only"],
        "second_factor": options["second_factor"],
        "asks_consent": not options["no_consent"],
        "public": options["public"],
        "pkce": not options["no_pkce"],
        "offline": options["offline"],
        "logout_uri": options["logout"],
        "post_logout_uris": "\n".join(options["after_logout"]),
    }


def faults(form: AppForm) -> str:
    """Returns what is wrong with the form, each fault after the option that it comes from."""
    return " ".join(f"{OPTIONS.get(name, name)}: {said}" for name, errors in form.errors.items() for said in errors)


@transaction.atomic
def add(form: AppForm) -> str:
    """Stores the app of a valid form, and mails superusers. Returns its secret."""
    secret = form.store_new()
    form.instance.groups.set(form.cleaned_data["groups"])
    power.record_command_on(format_lazy("{} {}", App._meta.verbose_name, form.instance), "added")  # noqa: SLF001
    return secret


def in_words(app: App, secret: str) -> str:
    """Returns what people need to connect the app, a line for each value."""
    lines = [
        f"id      {app.pk}",
        f"secret  {secret}" if secret else "secret  none",
        f"issuer  {products.endpoints()['issuer']}",
    ]
    return "\n".join(lines)
