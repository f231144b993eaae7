"""The model under which the desk lists the sign-up funnel."""

from django.utils.translation import gettext_lazy as _

from invites.models.invite import Invite


class Funnel(Invite):
    """A proxy of Invite, so that the funnel has its own entry at the desk; invites/funnel/count.py counts it."""

    class Meta:
        proxy = True
        default_permissions = ()  # FunnelAdmin asks for the permission to view invitations
        verbose_name = _("sign-up funnel")
        verbose_name_plural = _("sign-up funnel")
