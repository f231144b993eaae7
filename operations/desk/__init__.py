"""The desk's home and its search, which ask every room, and the pages that show the look and send a test mail."""

from django.contrib import admin

from operations.desk import home, look, search, test_mail

admin.site.home.append(home.show)  # type: ignore[attr-defined]  # config.admin.Site
admin.site.pages += [  # type: ignore[attr-defined]
    ("search/", search.search, "search"),
    ("look/", look.look, "look"),
    ("look/page/<slug:name>/", look.page, "look_page"),
    ("look/mail/<slug:kind>/", look.mail, "look_mail"),
    ("test-mail/", test_mail.send, "test_mail"),
]
