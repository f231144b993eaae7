"""Checks of the parts that the site is made of: whether they answer, and agree about the time."""

from datetime import timedelta
from typing import Any

from django.core.cache import caches
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from kit.findings import Finding, failure, ok, one_line, warning

OFF, FAR_OFF = timedelta(seconds=2), timedelta(seconds=30)  # codes of authenticator apps are valid for 30 seconds
OLDEST = 150_000  # the oldest version of PostgreSQL that will do, as server_version_num writes it


def database() -> Finding:
    """Returns the finding on PostgreSQL: a failure if it does not answer, or is older than version 15."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            number = int(cursor.fetchone()[0])
    except (OperationalError, InterfaceError) as error:
        said = f"PostgreSQL does not answer: {one_line(error)}"
        return failure(said, "See that it runs and that DATABASE_URL names it. Pages answer 503 meanwhile.")
    version = f"{number // 10_000}.{number % 10_000}"
    if number < OLDEST:
        return failure(f"PostgreSQL is {version}.", "Use 15 or newer.")
    return ok(f"PostgreSQL {version} answers.")


def migrations() -> Finding:
    """Returns the finding on migrations: a failure, which names up to three, if any are not applied.

    Raises DatabaseError or InterfaceError if the database fails.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return ok("All migrations are applied.")
    named = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _backwards in plan[:3])
    more = f" and {len(plan) - 3} more" if len(plan) > 3 else ""
    return failure(f"Migrations are not applied: {named}{more}.", "Run: manage.py migrate")


def clock() -> Finding:
    """Returns the finding on whether our clock and that of PostgreSQL agree.

    It is a warning if they are more than OFF apart, and a failure beyond FAR_OFF. Raises DatabaseError or
    InterfaceError if the database fails.
    """
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        theirs, after = cursor.fetchone()[0], timezone.now()
    apart = max(before - theirs, theirs - after, timedelta(0))
    if apart <= OFF:
        return ok("Our clock and that of PostgreSQL agree.")
    judge = failure if apart > FAR_OFF else warning
    said = f"Our clock and that of PostgreSQL are {apart.total_seconds():,.0f} seconds apart."
    return judge(said, "Let both machines keep time by NTP: otherwise links end early or late, and codes are refused.")


def cache() -> Finding:
    """Returns the finding on whether Redis answers: a failure if it does not."""
    default: Any = caches["default"]
    if default.answers():
        return ok("Redis answers.")
    said = "Redis does not answer. Pages and sessions come from PostgreSQL, and limits count per process."
    return failure(said, "See that it runs and that REDIS_URL names it.")
