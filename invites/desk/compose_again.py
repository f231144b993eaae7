"""A list that was checked, as the values of the form that it came from, to be changed there."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.models import Group

from invites.desk.compose_form import lifetime_choices
from invites.models import Batch, entries
from kit import spans

COLUMNS = ("email", "name", "note", "language", "next", "group", "lifetime")


def values(batch: Batch) -> dict[str, Any]:
    """Returns the first values of a ComposeForm for a list that was not sent yet."""
    common = dict(batch.common)
    lasts = written(common.pop("lifetime", 0))
    chosen = {"lifetime": lasts} if lasts in dict(lifetime_choices()) else {"other": lasts}
    return common | chosen | {"name": batch.name, "pasted": text(batch)}


def text(batch: Batch) -> str:
    """Returns the lines of a list, in their order: a line each, or a table with headings if they say more.

    A table has tabs between its cells, as spreadsheets copy it, and the columns that say anything but what was chosen
    for all. A line that could not be read stands in it as it came.
    """
    names = dict(Group.objects.filter(pk__in=entries.groups(batch.entries)).values_list("pk", "name"))
    lines = [(row["line"], own(row, batch.common, names)) for row in batch.entries]
    lines += [(number, {"email": said}) for number, said, _problem in batch.refused]
    used = [name for name in COLUMNS if any(name in said for _number, said in lines)]
    file = StringIO()
    writer = csv.DictWriter(file, used, delimiter="\t", lineterminator="\n")
    if len(used) > 1:
        writer.writeheader()
        writer.writerows(said for _number, said in sorted(lines, key=lambda line: line[0]))
        return file.getvalue()
    return "".join(f"{said['email']}\n" for _number, said in sorted(lines, key=lambda line: line[0]))


def own(row: dict[str, Any], common: dict[str, Any], names: dict[int, str]) -> dict[str, str]:
    """Returns what a stored entry says beside what was chosen for all, by column."""
    said = {name: value for name, value in row.items() if value != common.get(name)}
    if "groups" in said:
        said["group"] = ";".join(names[one] for one in said["groups"] if one in names)
    if "lifetime" in said:
        said["lifetime"] = written(said["lifetime"])
    return {name: said[name] for name in COLUMNS if said.get(name)}


def written(seconds: int) -> str:
    """Returns a length of time as people write it, "" for 0."""
    return spans.write(timedelta(seconds=seconds)) if seconds else ""
