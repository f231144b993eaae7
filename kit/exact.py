"""Columns of text that are looked up by their whole value, with one index instead of Django's two."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactField(models.CharField):
    """A CharField whose unique or other index has no twin.

    Beside each index of a column whose type begins with "varchar", Django makes a second one, which serves only LIKE
    'x%' (startswith). It is as large as the first, and every INSERT fills both. The longer name of the same type in SQL
    does without.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Returns the type of the column: "character varying", which is PostgreSQL's "varchar", with the length."""
        return str(super().db_type(connection)).replace("varchar", "character varying", 1)


class ExactEmailField(ExactField, models.EmailField):
    """An EmailField whose unique or other index has no twin; see ExactField."""
