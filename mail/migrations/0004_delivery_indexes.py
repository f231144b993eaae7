from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Mail goes on being stored and delivered while an index is built, however long the outbox is.
    atomic = False

    dependencies = [
        ("mail", "0003_delivery_status"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("given_up_at", None), ("sent_at", None)),
                fields=["next_try_at"],
                name="outbox_waiting",
            ),
        ),
        AddIndexConcurrently(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("given_up_at__isnull", False)), fields=["given_up_at"], name="outbox_given_up"
            ),
        ),
        AddIndexConcurrently(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("bounced_at__isnull", False)), fields=["bounced_at"], name="outbox_bounced"
            ),
        ),
        AddIndexConcurrently(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("about__isnull", False)), fields=["about", "-id"], name="outbox_about"
            ),
        ),
        RemoveIndexConcurrently(
            model_name="outboxmessage",
            name="outbox_due",
        ),
    ]
