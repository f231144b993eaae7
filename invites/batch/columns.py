"""The columns that a list of people may have, and the checks of what stands in them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language_info, get_supported_language_variant
from django.utils.translation import gettext as _

from accounts import profile_fields
from invites.batch.cells import is_glued
from invites.batch.leads import Leads
from invites.models import lifetimes
from kit import addresses, plain_line

# What people call languages, beside their codes, their English names and their own.
LANGUAGES = {
    "ar": set("ara арабский арабська arabisch arabe árabe arabo عربي".split()),
    "de": set("ger deu нем немецкий німецька allemand alemán alemão tedesco".split()),
    "en": set("eng англ английский англійська englisch anglais inglés inglês inglese".split()),
    "es": set("spa исп испанский іспанська spanisch espagnol espanhol castellano spagnolo".split()),
    "fr": set("fre fra фр французский французька französisch francés francês francese".split()),
    "pt-br": set("por portuguese português португальский португальська portugiesisch portugais portugués".split()),
    "ru": set("rus рус російська russisch russe ruso russo".split()),
    "uk": set("ukr укр украинский ukrainisch ukrainien ucraniano ucraino".split()),
}

# What a line may say of a person, in the order in which a list without headings says it.
COLUMNS = ("email", "name", "note", "language", "next", "group", "lifetime", "app")


def every() -> tuple[str, ...]:
    """Returns COLUMNS, and behind them those that only headings name: of what the site asks about people."""
    return (*COLUMNS, *profile_fields.by_form_name())


def email_of(typed: str) -> str:
    """Returns the normalized address. Raises ValidationError if there is none or it is malformed."""
    if not typed.strip():
        raise ValidationError(_("There is no email address in this line"))
    if typed.strip().startswith("@") or typed.strip().endswith("@"):
        raise ValidationError(
            _("Something is missing beside the “@”, or there is a space. Write the address as one word")
        )
    if is_glued(typed.strip()):
        said = _("Something beside the address, without a space, could be part of it. Write the address alone")
        raise ValidationError(said)
    return addresses.normalize(typed)


def fields(row: Mapping[str, str], leads: Leads) -> dict[str, Any]:
    """Returns what a line says beside the address, as fields of Entry; `row` maps column to text.

    `leads` is where the author of the list may lead people. Raises ValidationError if one of the texts is not allowed.
    """
    return {
        "name": plain_line.plain(row.get("name", ""), 100, _("The name")),
        "note": plain_line.plain(row.get("note", "")),
        "language": language(row.get("language", "")),
        **leads.lead(row),
        "lifetime": lifetimes.read(row.get("lifetime", "")),
        "profile": profile(row),
    }


def profile(row: Mapping[str, str]) -> dict[str, str]:
    """Returns what a line says for the fields of the site, by their names, without empty values.

    Raises ValidationError, which names the field, for a value that it does not take.
    """
    found = {}
    for column, field in profile_fields.by_form_name().items():
        try:
            found[field.name] = field.clean(row.get(column, ""))
        except ValidationError as error:
            said = str(error.messages[0])
            raise ValidationError(said if field.label in said else f"{field.label}: {said}") from None
    return {name: value for name, value in found.items() if value}


def language(text: str) -> str:
    """Returns the site's language for a code or name like "en-GB", "рус." or "English (UK)", or "" for "".

    Raises ValidationError for any other text.
    """
    said = text.lower().partition("(")[0].strip(" .").removesuffix(" язык").removesuffix(" language")
    code = next((code for code, _name in settings.LANGUAGES if said in names_of(code)), said.replace("_", "-"))
    try:
        return get_supported_language_variant(code) if text else ""
    except LookupError:
        said = _("The language “%(language)s” is not one that the site speaks; use %(codes)s")
        codes = ", ".join(code for code, _name in settings.LANGUAGES)
        raise ValidationError(said % {"language": text[:20], "codes": codes}) from None


@cache
def names_of(code: str) -> set[str]:
    """Returns what people call a language, in small letters: "de" is Deutsch, German, немецкий …"""
    known = get_language_info(code)
    return {known["name"].lower(), known["name_local"].lower()} | LANGUAGES.get(code, set())
