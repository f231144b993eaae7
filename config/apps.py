"""Django admin with our own front door."""

from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.utils.module_loading import autodiscover_modules


class AdminConfig(StockAdminConfig):
    default_site = "config.admin.Site"

    def ready(self) -> None:
        super().ready()
        autodiscover_modules("desk")  # the name of what each room shows there
