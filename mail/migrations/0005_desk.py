from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0004_delivery_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="suppression",
            name="digest",
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(blank=True, max_length=300, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="recipient",
            field=models.EmailField(max_length=320, null=True, unique=True, verbose_name="address"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(fields=["kind", "-id"], name="outbox_kind"),
        ),
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(
                    ("bounced_at__isnull", False),
                    ("given_up_at__isnull", False),
                    models.Q(("attempts__gte", 2), ("given_up_at", None), ("sent_at", None)),
                    _connector="OR",
                ),
                fields=["-id"],
                name="outbox_trouble",
            ),
        ),
    ]
