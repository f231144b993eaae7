"""The desk's home, which asks every room, and the page that sends a test mail."""

from django.contrib import admin

from operations.desk import home, test_mail

admin.site.home.append(home.show)  # type: ignore[attr-defined]  # config.admin.Site
admin.site.pages.append(("test-mail/", test_mail.send, "test_mail"))  # type: ignore[attr-defined]
