from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # indexes are made beside the traffic

    dependencies = [
        ("accounts", "0004_invite_history"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(condition=models.Q(("is_staff", True)), fields=["id"], name="user_staff"),
        ),
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(condition=models.Q(("is_superuser", True)), fields=["id"], name="user_owner"),
        ),
    ]
