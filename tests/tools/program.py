"""A client of the JSON doors that keeps cookies and sends the CSRF token, as a program does."""

import json

from django.test import Client


class Program(Client):
    def __init__(self, **given):
        super().__init__(enforce_csrf_checks=True, **given)
        self.token = ""

    def look(self):
        """Gets /api/v1/auth/session, keeps its CSRF token for later requests, and returns the answer."""
        answer = self.get("/api/v1/auth/session")
        self.token = answer.json()["csrf_token"]
        return answer

    def send(self, path, method="POST", language="en", **fields):
        """Sends some fields as one JSON object, and returns the answer."""
        if not self.token:
            self.look()
        headers = {"X-CSRFToken": self.token, "Accept-Language": language}
        answer = self.generic(method, path, json.dumps(fields), "application/json", headers=headers)
        self.token = answer.json().get("csrf_token", self.token) if answer.text else self.token
        return answer

    def sign_in(self, login, password):
        return self.send("/api/v1/auth/login", login=login, password=password)


def codes(answer):
    """Returns the codes of all errors in an answer."""
    return [error["code"] for error in answer.json()["errors"]]


def fields(answer):
    return [error["field"] for error in answer.json()["errors"]]
