"""A list that was checked, to be changed: as the values of the form that it came from, or as a file of bad lines."""

import csv
from collections.abc import Iterable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from accounts.profile_fields import PREFIX
from invites.batch.columns import every
from invites.desk.compose_form import lifetime_choices
from invites.desk.preview import did_you_mean
from invites.models import Batch, entries
from kit import each_language, spans


def values(batch: Batch) -> dict[str, Any]:
    """Returns the first values of a ComposeForm for a list that was not sent yet."""
    common = dict(batch.common)
    lasts, ticked = written(common.pop("lifetime", 0)), common.pop("chosen", ())
    chosen = {"lifetime": lasts} if lasts in dict(lifetime_choices()) else {"other": lasts}
    return common | chosen | {"groups": ticked, "name": batch.name, "pasted": text(batch)}


def text(batch: Batch) -> str:
    """Returns the lines of a list, in their order: a line each, or a table with headings if they say more.

    A table has tabs between its cells, as spreadsheets copy it, and the columns that say anything but what was chosen
    for all. Of a line that could not be read it has what the line says, to be mended.
    """
    rows = lines(batch)
    used = columns(rows)
    file = StringIO()
    writer = csv.DictWriter(file, used, delimiter="\t", lineterminator="\n")
    if len(used) > 1:
        writer.writerow({name: heading(name) for name in used})
        writer.writerows(said for _row, said in rows)
        return file.getvalue()
    return "".join(f"{said['email']}\n" for _row, said in rows)


def bad_lines(batch: Batch) -> Iterator[list[Any]]:
    """Yields the rows of a CSV file of the lines that could not be read or look mistyped, in the list's order.

    The first row says "line", "text" (the address), the other columns that these lines use, and "reason": by it
    headings.is_bad_lines() recognizes the file, so that it can be mended and given back.
    """
    rows = [(row, said) for row, said in lines(batch) if "problem" in row or row.get("meant")]
    others = [name for name in columns(rows) if name != "email"]
    yield [_("line"), _("text"), *map(heading, others), _("reason")]
    for row, said in rows:
        reason = each_language.read(row["problem"]) if "problem" in row else did_you_mean(row)
        yield [row["line"], said.get("email", ""), *(said.get(name, "") for name in others), reason]


def lines(batch: Batch) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Returns the stored lines of a list in their order, each with what it says for itself, by column."""
    names = dict(Group.objects.filter(pk__in=entries.groups(batch.entries)).values_list("pk", "name"))
    apps = entries.app_names(batch.entries)
    rows = [(row, own(row, batch.common, names, apps)) for row in batch.entries]
    rows += [(row, {name: row[name] for name in every() if name in row}) for row in batch.refused]
    return sorted(rows, key=lambda pair: pair[0]["line"])


def columns(rows: Iterable[tuple[dict[str, Any], dict[str, str]]]) -> list[str]:
    """Returns the columns that any of these lines has, in the order of every(); always the address."""
    used = {name for _row, said in rows for name in said} | {"email"}
    return [name for name in every() if name in used]


def heading(column: str) -> str:
    """Returns what stands above a column, by which it is known again."""
    return column.removeprefix(PREFIX)


def own(row: dict[str, Any], common: dict[str, Any], names: dict[int, str], apps: dict[str, str]) -> dict[str, str]:
    """Returns what a stored entry says beside what was chosen for all, by column.

    `names` and `apps` are the names of groups and of apps, by id.
    """
    said = {name: value for name, value in row.items() if value != common.get(name)}
    if "groups" in said:
        said["group"] = ";".join(names[one] for one in said["groups"] if one in names)
    if "app" in said:
        said["app"] = apps.get(said["app"], said["app"])
    if "lifetime" in said:
        said["lifetime"] = written(said["lifetime"])
    said |= {PREFIX + name: value for name, value in said.get("profile", {}).items()}
    return {name: said[name] for name in every() if said.get(name)}


def written(seconds: int) -> str:
    """Returns a length of time as people write it, "" for 0."""
    return spans.write(timedelta(seconds=seconds)) if seconds else ""
