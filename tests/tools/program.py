"""A program that speaks JSON, with the cookies and the token that a browser gives it."""

import json

from django.test import Client


class Program(Client):
    def __init__(self, **given):
        super().__init__(enforce_csrf_checks=True, **given)
        self.token = ""

    def look(self):
        """GET /api/v1/auth/session: who is signed in, and the token for all that follows."""
        answer = self.get("/api/v1/auth/session")
        self.token = answer.json()["csrf_token"]
        return answer

    def send(self, path, method="POST", language="en", **fields):
        """The answer to some fields, sent as one JSON object."""
        if not self.token:
            self.look()
        headers = {"X-CSRFToken": self.token, "Accept-Language": language}
        answer = self.generic(method, path, json.dumps(fields), "application/json", headers=headers)
        self.token = answer.json().get("csrf_token", self.token) if answer.text else self.token
        return answer

    def sign_in(self, login, password):
        return self.send("/api/v1/auth/login", login=login, password=password)


def codes(answer):
    """What an answer says is wrong, in the words for programs."""
    return [error["code"] for error in answer.json()["errors"]]


def fields(answer):
    return [error["field"] for error in answer.json()["errors"]]
