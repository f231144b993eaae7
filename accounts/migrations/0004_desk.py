from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_google_and_second_factor"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="about",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="invites_paused_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="invitations paused"),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Account created"),
                    ("signed_in", "Signed in"),
                    ("failed", "Wrong password entered"),
                    ("prolonged", "Stayed signed in for 12 more hours"),
                    ("signed_out", "Signed out everywhere"),
                    ("session_ended", "Session ended"),
                    ("password_changed", "Password changed"),
                    ("username_changed", "Username changed"),
                    ("email_changed", "Email address changed"),
                    ("email_restored", "Email address restored"),
                    ("notices_off", "Emails about new devices turned off"),
                    ("turned_off", "Account turned off"),
                    ("turned_on", "Account turned on"),
                    ("disowned", "Reported: this was not me"),
                    ("google_connected", "Google connected"),
                    ("google_disconnected", "Google disconnected"),
                    ("second_factor_on", "Two-step verification turned on"),
                    ("second_factor_off", "Two-step verification turned off"),
                    ("recovery_codes", "New recovery codes"),
                    ("recovery_code_used", "Recovery code used"),
                    ("code_failed", "Wrong code entered"),
                    ("exported", "Data downloaded"),
                    ("deleted", "Account deleted"),
                    ("invited", "Invited somebody"),
                    ("resent", "Sent an invitation again"),
                    ("extended", "Extended an invitation"),
                    ("revoked", "Withdrew an invitation"),
                    ("reminded", "Reminder sent"),
                    ("accepted", "Accepted an invitation"),
                    ("declined", "Declined an invitation"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("about__isnull", False)), fields=["about", "-id"], name="event_about"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("is_active", False)), fields=["-id"], name="user_off"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("is_staff", True)), fields=["-id"], name="user_staff"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("is_superuser", True)), fields=["-id"], name="user_owner"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("password__startswith", "!")), fields=["-id"], name="user_no_password"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["last_login", "-id"], name="user_by_last_login"),
        ),
    ]
