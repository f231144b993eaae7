from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Mail goes on being stored and delivered meanwhile.
    atomic = False

    dependencies = [
        ("mail", "0005_opt_outs"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="outboxmessage",
            index=models.Index(fields=["kind", "-id"], name="outbox_kind"),
        ),
    ]
