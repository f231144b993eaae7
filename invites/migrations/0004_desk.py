import django.db.models.deletion
import django.utils.timezone
import invites.models.batch
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_desk"),
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
                ("checked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("begun_at", models.DateTimeField(null=True, verbose_name="begun")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn")),
                ("again", models.BooleanField(default=False)),
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
        migrations.CreateModel(
            name="Funnel",
            fields=[],
            options={
                "verbose_name": "sign-up funnel",
                "verbose_name_plural": "sign-up funnel",
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("invites.invite",),
        ),
        migrations.CreateModel(
            name="Inviter",
            fields=[],
            options={
                "verbose_name": "who invited whom",
                "verbose_name_plural": "who invited whom",
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.user",),
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
            name="invited_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="invites_sent",
                to=settings.AUTH_USER_MODEL,
                verbose_name="invited by",
            ),
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
                    ("shadow", "as its member sees it"),
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
            index=models.Index(fields=["invited_by", "-id"], name="invite_by_inviter"),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("batch", ""), _negated=True), fields=["batch", "-id"], name="invite_by_batch"
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(fields=["language", "-id"], name="invite_by_language"),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("claimed_at", None), ("declined_at", None), ("revoked_at", None)),
                fields=["-id", "expires_at"],
                name="invite_unsettled",
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("claimed_at__isnull", False)), fields=["-id"], name="invite_claimed"
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("declined_at__isnull", False)), fields=["-id"], name="invite_declined"
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("revoked_at__isnull", False)), fields=["-id"], name="invite_revoked"
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("source", "shadow")), fields=["invited_by", "-created_at"], name="invite_seen_by"
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("claimed_by__isnull", False)), fields=["invited_by", "-id"], name="invite_accepted"
            ),
        ),
        migrations.AddIndex(
            model_name="invite",
            index=models.Index(
                condition=models.Q(
                    ("claimed_at", None),
                    ("declined_at", None),
                    ("replaced_at", None),
                    ("revoked_at", None),
                    models.Q(("source__in", ["owner", "shadow"]), _negated=True),
                ),
                fields=["invited_by", "expires_at"],
                name="invite_pending",
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
