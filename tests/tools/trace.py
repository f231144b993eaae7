"""Traces which of our files an action passes through, as somebody has to who reads the code."""

import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ROOMS = ("accounts", "invites", "outbox", "operations")
OWN = (*ROOMS, "config", "kit")


class Road(NamedTuple):
    """The files that an action entered, in the order of their first call, and how often it went from one to another."""

    files: list[str]
    hops: int
    of_allauth: list[str]

    @property
    def of_rooms(self):
        return [file for file in self.files if file.split("/")[0] in ROOMS]

    def __str__(self):
        figures = f"{len(self.of_rooms)} files of rooms, {len(self.files)} with kit and config, {self.hops} hops"
        return "\n".join([f"{figures}, {len(self.of_allauth)} files of allauth", *self.files, *self.of_allauth])


def trace(action):
    """Runs an action, and returns the Road it took."""
    files, of_allauth, hops = {}, {}, 0
    stack, entered = [], set()

    def note(frame, event, _argument):
        nonlocal hops
        name = place(frame.f_code.co_filename)
        if name is None or frame.f_code.co_name == "<module>":
            return
        if event == "call":
            if name.startswith("allauth/"):
                of_allauth[name] = None
                return
            if stack and stack[-1] != name and frame not in entered:  # a generator that goes on is no new hop
                hops += 1
            entered.add(frame)
            files[name] = None
            stack.append(name)
        elif event == "return" and stack and not name.startswith("allauth/"):
            stack.pop()

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return Road(list(files), hops, list(of_allauth))


def place(file):
    """Returns the path of a file: ours from the project's root, allauth's from its package; None for any other."""
    if "/site-packages/" in file:
        inside = file.partition("/site-packages/")[2]
        return inside if inside.startswith("allauth/") else None
    inside = file.removeprefix(f"{ROOT}/")
    return inside if inside.split("/")[0] in OWN and inside.endswith(".py") else None
