"""Counting rows for the desk's home: many numbers in one statement, each no further than a bound."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from kit.list_filter import Capped


def count(request: HttpRequest, rows: Mapping[str, QuerySet[Any]], most: int) -> dict[str, int]:
    """Returns the number of rows of each query, by its name: `most` and one more at most."""
    counts = {f"{name}_": Capped(found.values("pk")[: most + 1]) for name, found in rows.items()}
    one_row = User.objects.filter(pk=request.user.pk)  # to hang them on; its own columns have no such names
    return {name.removesuffix("_"): number for name, number in one_row.values(**counts).get().items()}
