"""What is asked of people."""

import re

from config.environment.variables import env, refuse
from kit import own_fields
from kit.hash_filter import HashFilter, Unusable
from kit.own_fields import OwnField

# What PROFILE_FIELDS and PROFILE_FORM may call no field: exports and lists of people have columns of these names.
RESERVED_FIELDS = frozenset(
    "id username email password state staff superuser groups group signs_in_with sessions joined seen settings note "
    "language next lifetime expires token terms profile source delivery invited_by batch created last_sent ends opened "
    "accepted leads_to app".split()
)


def profile_fields() -> list[OwnField]:
    """Returns PROFILE_FIELDS, what is asked about people, as in "name,job:optional,phone:optional:tel".

    Raises SystemExit if it can't be read.
    """
    try:
        fields = own_fields.parse(env.str("PROFILE_FIELDS", default=""), RESERVED_FIELDS)
        strange = next((field for field in fields if field.name == "name" and field.kind != "text"), None)
        if strange:
            raise ValueError("'name' is the name of the account, and takes text.")  # noqa: TRY301 said as the others
    except ValueError as error:
        refuse(f"PROFILE_FIELDS can't be read: {error}")
    return fields


def terms_version(url: str) -> str:
    """Returns TERMS_VERSION, a short name of the terms at `url` (TERMS_URL), or "" if nobody is asked to agree.

    Raises SystemExit if it is malformed, or if there is no such URL.
    """
    version: str = env.str("TERMS_VERSION", default="")
    if version and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", version):
        refuse("TERMS_VERSION must be up to 40 letters, digits, dots, hyphens and underscores, like 2026-11-01.")
    if version and not url:
        refuse("TERMS_VERSION needs TERMS_URL: people must be able to read what they agree to.")
    return version


def terms_changes(version: str) -> str:
    """Returns TERMS_CHANGES, the name of a template, or "". Raises SystemExit if there is no `version` of the terms."""
    name: str = env.str("TERMS_CHANGES", default="")
    if name and not version:
        refuse("TERMS_CHANGES needs TERMS_VERSION: without it nobody is asked to agree.")
    return name


def breaches_file() -> str:
    """Returns PASSWORD_BREACHES_FILE, the path of a filter of leaked passwords, or "".

    Raises SystemExit if the file can't be read, or is not a whole filter.
    """
    path: str = env.str("PASSWORD_BREACHES_FILE", default="")
    try:
        if path:
            HashFilter(path)
    except OSError as error:
        refuse(f"PASSWORD_BREACHES_FILE can't be read: {error.strerror}: {path}")
    except Unusable as error:
        refuse(f"PASSWORD_BREACHES_FILE {error}: {path}. Make it again with build_breach_filter.")
    return path
