"""The indexes of our tables."""

import pytest
from django.apps import apps
from django.db import connection

ROOMS = ("accounts", "invites", "outbox")

FOR_LIKE = """
SELECT i.relname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relname = ANY(%s) AND EXISTS (
    SELECT FROM unnest(x.indclass::oid[]) used JOIN pg_opclass c ON c.oid = used WHERE c.opcname LIKE '%%_pattern_ops'
)
"""


@pytest.mark.django_db
def test_no_index_serves_like_alone():
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models(include_auto_created=True)]
    with connection.cursor() as cursor:
        cursor.execute(FOR_LIKE, [[model._meta.db_table for model in models]])
        assert cursor.fetchall() == []
