"""Ending the logins that have died by themselves, so that their apps are told, too."""

from sso.models import Login


def end_dead_logins() -> int:
    """Ends the logins that are dead and still open, and returns their number.

    Their session has expired, the person was taken out of a group, an offline login is over, or the app lets nobody in
    any more: nobody pressed a button for it. Logins that others have locked just now wait for the next sweep.
    """
    return Login.objects.dead().end(skip_locked=True)
