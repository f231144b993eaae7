"""The hash by which passwords are stored, and the lane in which it is computed."""

import os
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from kit.lane import Lane


class Argon2(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's Password Storage Cheat Sheet, computed in the lane of this process.

    It is strong, and takes 20 ms of CPU where Django's default burns 195: ten times harder to use for a denial of
    service. Its methods raise kit.lane.Full while too many hashes wait.
    """

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return lane().run(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return lane().run(super().verify, password, encoded)


@cache
def lane() -> Lane:
    """Returns the lane of this process: without it, eight people who sign in would slow down everybody else."""
    return Lane(settings.HASH_THREADS, settings.HASH_PLACES)


def waiting() -> int:
    """Returns how many requests of this process are in the lane: those that wait, and those whose turn it is."""
    return lane().inside


os.register_at_fork(after_in_child=lane.cache_clear)  # threads do not come along
