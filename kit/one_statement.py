"""Writes to several tables as one statement of PostgreSQL: one round trip, and little for Django to compose."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, Self

from django.db import connection, models
from django.db.models.signals import post_save, pre_save


class Unmet(Exception):
    """A condition of a statement changed no row, so the statement has stored nothing that depended on it."""


class Write(NamedTuple):
    """The SQL of an INSERT, UPDATE or DELETE, or of a SELECT that others refer to, and the values in it."""

    sql: str
    values: Sequence[Any] = ()

    def run(self) -> int:
        """Runs it by itself, and returns the number of rows."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            return int(cursor.rowcount)


class OneStatement:
    """Writes that happen in one statement, after conditions: updates or deletions that must each change a row.

    The conditions are run in their order, each only if the one before was met; rows are inserted only if all were. In
    the statement no write sees what another has done. Unless there is one condition at most, and every write depends on
    it, the statement belongs into a transaction, which must not go on after Unmet: some rows have changed by then.
    """

    def __init__(self, conditions: Sequence[Write] = ()) -> None:
        self._parts: list[str] = []
        self._values: list[Any] = []
        self._rows: list[models.Model] = []
        self.met = ""  # the last condition: SQL can read by this name the row that it has changed
        for condition in conditions:
            also = f" AND EXISTS (TABLE {self.met})" if self.met else ""
            self.met = self.add(Write(f"{condition.sql}{also} RETURNING *", condition.values))

    def add(self, write: Write, name: str = "") -> str:
        """Adds a write, which is run in any case. Returns the name by which later ones can refer to it."""
        name = name or f"part{len(self._parts)}"
        self._parts.append(f"{name} AS ({write.sql})")
        self._values += write.values
        return name

    def insert(self, *rows: models.Model) -> Self:
        """Adds new rows, which are inserted if all conditions are met. Django's signals of a save are sent for each."""
        for row in rows:
            pre_save.send(type(row), instance=row, raw=False, using=connection.alias, update_fields=None)
            self.add(self._insertion(row))
        self._rows += rows
        return self

    @property
    def if_met(self) -> str:
        """The SQL of a WHERE clause for a write that depends on all conditions; "" if there are none."""
        return f" WHERE EXISTS (TABLE {self.met})" if self.met else ""

    def execute(self, *results: str) -> list[Any]:
        """Runs the statement. Returns the values of `results`: SQL expressions, which can refer to writes by name.

        Raises Unmet, and IntegrityError for a row that breaks a constraint.
        """
        selected = ", ".join([f"EXISTS (TABLE {self.met})" if self.met else "true", *results])
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {', '.join(self._parts)} SELECT {selected}", self._values)
            is_met, *values = cursor.fetchone()
        if not is_met:
            raise Unmet
        for row in self._rows:
            row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 as Model.save() sets them
            post_save.send(type(row), instance=row, created=True, raw=False, using=connection.alias, update_fields=None)
        return values

    def _insertion(self, row: models.Model) -> Write:
        sql, fields = _insertion_into(type(row), has_id=row.pk is not None)
        values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
        return Write(f"{sql} FROM {self.met}" if self.met else sql, values)


@cache
def _insertion_into(model: type[models.Model], *, has_id: bool) -> "tuple[str, list[models.Field[Any, Any]]]":
    """Returns the SQL that inserts a row of `model`, and the fields of its values.

    Without an id, a column that the database counts by itself is left out.
    """
    fields = [
        field
        for field in model._meta.concrete_fields  # noqa: SLF001 the public way to a model's columns
        if has_id or not isinstance(field, models.AutoField)
    ]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    blanks = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {blanks}", fields  # noqa: SLF001
