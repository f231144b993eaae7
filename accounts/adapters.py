"""What we tell allauth about this site."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import addresses, clients, names
from accounts.models import User


def inactive(request: HttpRequest) -> HttpResponse:
    """For the owner of a deactivated account, who has proven to be it."""
    return render(request, "accounts/inactive.html", status=403)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: accounts are made by accepting an invite (invites.models)."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return clients.ip(request)

    def clean_email(self, email: str) -> str:
        return addresses.normalize(email)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        return super().clean_username(names.normalize(username), shallow)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return inactive(request)

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Nothing: our views say what happened, in our words."""
