"""What the desk lists the funnel as."""

from django.utils.translation import gettext_lazy as _

from invites.models.invite import Invite


class Funnel(Invite):
    """All invites, to be counted (invites/funnel/count.py)."""

    class Meta:
        proxy = True
        default_permissions = ()  # who may see invites may see it
        verbose_name = _("sign-up funnel")
        verbose_name_plural = _("sign-up funnel")
