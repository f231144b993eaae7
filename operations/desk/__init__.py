"""The desk's home and its search, which ask every room, and the page that sends a test mail."""

from django.contrib import admin

from operations.desk import home, search, test_mail

admin.site.home.append(home.show)  # type: ignore[attr-defined]  # config.admin.Site
admin.site.pages += [  # type: ignore[attr-defined]
    ("search/", search.search, "search"),
    ("test-mail/", test_mail.send, "test_mail"),
]
