"""Lists at the desk of which some rows are ticked."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext as _


class TickedList(admin.ModelAdmin):
    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().response_action(request, queryset, *args, **kwargs)
        except ValueError:  # an id that is none
            said = _("What you ticked could not be read. Nothing was done. Tick it again.")
            self.message_user(request, said, messages.ERROR)
            return None
