import django.db.models.deletion
import django.utils.timezone
import invites.models.batch
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("invites", "0003_readdressing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=invites.models.batch.new_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="created")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn")),
                ("entries", models.JSONField(default=list)),
                ("refused", models.JSONField(default=list)),
                ("counts", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "batch",
                "verbose_name_plural": "batches",
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="invite",
            name="one_standing_invite_per_address",
        ),
        migrations.AddField(
            model_name="invite",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="auth.group",
                verbose_name="group",
            ),
        ),
        migrations.AddField(
            model_name="invite",
            name="name",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="name"),
        ),
        migrations.AddField(
            model_name="invite",
            name="opened_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="opened"),
        ),
        migrations.AddField(
            model_name="invite",
            name="reminded_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="reminded"),
        ),
        migrations.AlterField(
            model_name="invite",
            name="source",
            field=models.CharField(
                choices=[
                    ("self", "asked for it"),
                    ("admin", "admin"),
                    ("csv", "CSV file"),
                    ("command", "command"),
                    ("api", "API"),
                    ("member", "member"),
                    ("shadow", "member, of somebody who is in"),
                    ("owner", "owner link"),
                ],
                default="self",
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(fields=["created_at"], name="invite_by_start"),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(fields=["source", "-id"], name="invite_by_source"),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("batch", ""), _negated=True), fields=["batch", "-id"], name="invite_by_batch"
            ),
        ),
        migrations.AddConstraint(
            model_name="invite",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("claimed_at", None),
                    ("declined_at", None),
                    ("replaced_at", None),
                    ("revoked_at", None),
                    models.Q(("source__in", ["owner", "shadow"]), _negated=True),
                ),
                fields=("email",),
                name="one_standing_invite_per_address",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="invited by",
            ),
        ),
    ]
