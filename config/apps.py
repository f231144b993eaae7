"""The app configuration of Django's admin, with our own site in it."""

from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.utils.module_loading import autodiscover_modules


class AdminConfig(StockAdminConfig):
    """Django's admin, with config.admin.Site, and with the admin classes of each room's `desk` module."""

    default_site = "config.admin.Site"

    def ready(self) -> None:
        super().ready()
        autodiscover_modules("desk")  # each room registers its admin classes there
