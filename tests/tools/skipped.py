"""Says in one line what both lanes have skipped, and how to have it run: the last line of `make test`.

Each lane leaves its reasons and their numbers in its pytest cache (tests/conftest.py).
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

KEY = "frontdoor/skipped"
# What a test lacks, by the reason it gives, and the package of Debian and Ubuntu that brings it.
WANTED = {
    "no nginx": ("nginx", "nginx"),
    "no Caddy": ("Caddy", "caddy"),
    "no RabbitMQ": ("RabbitMQ", "rabbitmq-server"),
    "no Chromium": ("Chromium", "chromium"),
    "no gettext": ("gettext", "gettext"),
    "no psql": ("psql", "postgresql-client"),
    "no mod_auth_openidc": ("mod_auth_openidc", "libapache2-mod-auth-openidc"),
    "no openid-client": ("openid-client", "npm"),
}


def read(caches: Iterable[Path]) -> Counter[str]:
    """Returns how many tests were skipped for each reason, in all lanes."""
    files = [cache / "v" / KEY for cache in caches]
    return sum((Counter(json.loads(file.read_text())) for file in files if file.exists()), Counter())


def in_words(skipped: Counter[str]) -> str:
    wanted = [WANTED[reason] for reason in WANTED if skipped[reason]]
    curable = sum(skipped[reason] for reason in WANTED)
    rest = skipped.total() - curable
    said = []
    if wanted:
        names, packages = zip(*wanted, strict=True)
        said.append(
            f"{curable} skipped for want of {', '.join(names)}. To have them run, install that (on Debian and Ubuntu: "
            f"sudo apt install {' '.join(packages)}) and run make test again."
        )
    if rest:
        more = "more " if wanted else ""
        said.append(f"{rest} {more}skipped, which do not fit this machine or these settings.")
    return " ".join(said) or "Nothing was skipped."


if __name__ == "__main__":
    print(in_words(read(Path(".pytest_cache").iterdir())))
