"""A stranger who guesses passwords."""

from django.test import Client

from accounts import limits


def use_up_tries(login="ada"):
    """Sends as many wrong passwords for a name as its limit allows, each from a new browser."""
    for _ in range(limits.LOGIN_PER_NAME.most):
        assert Client().post("/login", {"login": login, "password": "not the right password"}).status_code == 200
