"""Signing out that begins in an app (OpenID Connect RP-Initiated Logout): the person is asked whether here, too."""
