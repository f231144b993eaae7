"""How passwords are stored."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters (Password Storage Cheat Sheet): 20 ms of CPU where Django's default burns 195."""

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1
