"""Queries that Django composes once, and that run with other values each time.

Django takes about a millisecond to compose a query, and PostgreSQL a tenth of that to answer it.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import islice
from types import SimpleNamespace
from typing import Any

from django.db import connections, models
from django.db.models.expressions import Expression
from django.db.models.query import ModelIterable
from django.db.models.sql import UpdateQuery

from kit.one_statement import Write


class Given(Expression):
    """A value of a prepared query, which is given under this name when the query runs.

    `output_field` turns what is given into a value of the database, as it does for a column of the same kind.
    """

    def __init__(self, name: str, output_field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, *_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # of the compiler it needs nothing
        return "%s", [self]


def fill(values: Sequence[Any], given: Mapping[str, Any], connection: Any) -> list[Any]:
    """Returns `values` for the database, with what is `given` in place of each Given.

    Raises KeyError for a value that is missing, and ValidationError for one that its field finds malformed.
    """
    return [
        value.output_field.get_db_prep_value(given[value.name], connection) if isinstance(value, Given) else value
        for value in values
    ]


class Prepared[M: models.Model]:
    """A query that reads rows, with other values each time. `compose` returns it, with a Given for each of them.

    It is composed when it first runs: then Django knows all models. What else it is made of stays as it was then, such
    as the present time: that must be Given too.
    """

    def __init__(self, compose: Callable[[], models.QuerySet[M]]) -> None:
        self._compose = compose

    def read(self, **given: Any) -> list[M]:
        """Returns the rows with the values `given`. Raises KeyError and ValidationError as fill() does."""
        rows, compiler, sql, values = self._composed
        connection = connections[rows.db]
        # All threads share what is composed, but each has a connection of its own.
        ours, filled = copy(compiler), fill(values, given, connection)
        ours.connection, ours.as_sql = connection, lambda: (sql, filled)
        return self._objects(ours)

    def of_tuple(self, values: Sequence[Any]) -> M | None:
        """Returns the object of a row as PostgreSQL gave it, or None if all its values are None.

        An object is made in either case, so that the time does not tell which.
        """
        ours = copy(self._composed[1])
        ours.connection, ours.execute_sql = connections[self._composed[0].db], lambda **_: [[tuple(values)]]
        made = self._objects(ours)[0]
        return made if any(value is not None for value in values) else None

    def _objects(self, compiler: Any) -> list[M]:
        rows = self._composed[0]
        query, mode = SimpleNamespace(get_compiler=lambda using: compiler), rows._fetch_mode  # noqa: SLF001
        read: Any = SimpleNamespace(db=rows.db, query=query, _fetch_mode=mode, _known_related_objects={})
        return list(ModelIterable(read))  # which looks at no more of a query set than these

    @cached_property
    def _composed(self) -> tuple[Any, Any, str, Sequence[Any]]:
        """The query set, the object by which Django makes rows of it, its SQL and its values."""
        rows = self._compose()
        compiler: Any = rows.query.get_compiler(using=rows.db)
        sql, values = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        compiler.get_converters = lambda _expressions: converters  # which are the same for every row
        return rows, compiler, sql, values


def first_of_each(*queries: Prepared[Any], **given: Any) -> list[Any]:
    """Returns the first row of each query or None, all read by one statement.

    `given` are the values of all queries, which must be limited to one row. Raises as Prepared.read() does.
    """
    composed = [query._composed for query in queries]  # noqa: SLF001 of a class of this file
    connection = connections[composed[0][0].db]
    joined, values = ["SELECT * FROM (SELECT) one"], []
    for number, (_rows, _compiler, sql, blanks) in enumerate(composed):
        joined.append(f"LEFT JOIN ({sql}) part{number} ON true")
        values += fill(blanks, given, connection)
    with connection.cursor() as cursor:
        cursor.execute(" ".join(joined), values)
        row = iter(cursor.fetchone())
    return [
        query.of_tuple(list(islice(row, len(compiler.select))))
        for query, (_rows, compiler, _sql, _values) in zip(queries, composed, strict=True)
    ]


class PreparedUpdate:
    """An UPDATE with other values each time. `compose` returns its rows and its changes, as QuerySet.update() has them.

    Both may have a Given for each value. It is composed when it first runs, as Prepared is.
    """

    def __init__(self, compose: Callable[[], tuple[models.QuerySet[Any], dict[str, Any]]]) -> None:
        self._compose = compose

    def with_values(self, **given: Any) -> Write:
        """Returns the statement with the values `given`. Raises KeyError and ValidationError as fill() does."""
        using, sql, values = self._composed
        return Write(sql, fill(values, given, connections[using]))

    @cached_property
    def _composed(self) -> tuple[str, str, Sequence[Any]]:
        """The name of the database, the SQL and its values."""
        rows, changes = self._compose()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(changes)
        return rows.db, *query.get_compiler(using=rows.db).as_sql()
