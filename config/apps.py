"""The app configuration of Django's admin, with our own site in it."""

from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.utils.module_loading import autodiscover_modules

from config import loading


class AdminConfig(StockAdminConfig):
    """Django's admin, with config.admin.Site, and with the admin classes of each room's `desk` module."""

    default_site = "config.admin.Site"

    def ready(self) -> None:
        """Also ends the process if a template of the operator can't be read."""
        super().ready()
        autodiscover_modules("desk")  # each room registers its admin classes there
        loading.check_templates()
