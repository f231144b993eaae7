"""A program that speaks allauth.headless's protocol."""

import json

DOORS = "/_allauth/browser/v1/"


def ask(client, method, door, sent=None, **headers):
    body = {} if sent is None else {"data": json.dumps(sent), "content_type": "application/json"}
    return client.generic(method, DOORS + door, **body, headers=headers)


def said(answer):
    """The codes of what is wrong, each with the name it is about."""
    return [(error["code"], error.get("param")) for error in answer.json()["errors"]]


def flows(answer):
    return {flow["id"]: flow for flow in answer.json()["data"]["flows"]}
