"""Every setting, with its meaning and its default: python -m config.reference prints docs/settings.md's tables.

A default is what the code reads the variable with. The meanings stand here, in one line each; a test compares both
with the page, and names a variable that has no row, and a row whose variable nobody reads.
"""

from typing import Any, NamedTuple

from config import gunicorn as gunicorn  # noqa: PLC0414 it reads the variables of the web server
from config import secret_files
from config import settings as settings  # noqa: PLC0414 it reads all others
from config.environment.variables import env

REQUIRED = "**required**"


class Setting(NamedTuple):
    """A variable, what it means, and in words what holds without it; "" if the value in the code says enough."""

    name: str
    meaning: str
    without: str = ""


TABLES = {
    "The site": (
        Setting(
            "SITE_URL",
            "the public address, such as `https://example.com`; links begin with it, and no other host is answered",
            REQUIRED,
        ),
        Setting("SITE_NAME", "the name on pages, in mails and at the desk"),
        Setting("SUPPORT_CONTACT", "where people can ask for help", "`help@` the host of `SITE_URL`"),
        Setting(
            "SECURITY_CONTACT",
            "where to report vulnerabilities, `mailto:security@example.com` or `https://…`, or several with commas "
            "between them; `/.well-known/security.txt` tells (RFC 9116)",
            "no such page",
        ),
        Setting("TERMS_URL", "the page of your terms, which ours link to", "no link"),
        Setting(
            "TERMS_VERSION",
            "the version of the terms that people must agree to, such as `2026-11-01`; needs `TERMS_URL`",
            "nobody is asked",
        ),
        Setting("TERMS_CHANGES", "a template that says what has changed in this version", "nothing is said"),
        Setting("PRIVACY_URL", "the page about privacy, which ours link to", "no link"),
        Setting("PRODUCT_URL", "the product, to which a button leads whoever is signed in", "`SIGNED_IN_URL`"),
        Setting(
            "PRODUCT_NAME",
            "the name on that button; needs `PRODUCT_URL` or `SIGNED_IN_URL`",
            "the host of `PRODUCT_URL`",
        ),
        Setting(
            "SIGNED_IN_URL",
            "where people go after signing in, unless they were on their way to another page",
            "the page with that button; without `PRODUCT_URL` the account page",
        ),
        Setting(
            "LANGUAGES",
            "the languages of pages and mails by their codes, `de,en`; whoever asks for none of them gets the first",
            "all that have a catalogue: `en,de,es,fr,pt-br,ru,uk,ar`",
        ),
    ),
    "Keys": (
        Setting("SECRET_KEY", "signs sessions and mailed links: 50 or more random characters", REQUIRED),
        Setting("SECRET_KEY_FALLBACKS", "former keys, with commas between them", "none"),
        Setting(
            "ENCRYPTION_KEY",
            "encrypts the secrets of authenticator apps and webhooks, and the keys that sign for apps, in the "
            "database: 50 or more random characters",
            "`SECRET_KEY`",
        ),
        Setting("ENCRYPTION_KEY_FALLBACKS", "former encryption keys, with commas between them", "none"),
    ),
    "Servers": (
        Setting(
            "DATABASE_URL",
            "`postgres://user:password@host:5432/name`, with libpq’s options: `?sslmode=verify-full`",
            REQUIRED,
        ),
        Setting(
            "DATABASE_SILENCE_SECONDS",
            "how long PostgreSQL may say nothing, for half of it to an old connection and then to a new one, until "
            "visitors are told that it is away",
        ),
        Setting(
            "REDIS_URL",
            "`redis://:password@host:6379/0`, or `rediss://` for TLS; Valkey works as well",
            REQUIRED,
        ),
        Setting(
            "AMQP_URL",
            "the RabbitMQ, `amqp://user:password@host:5672/vhost` or `amqps://`; the same for all processes",
            "mail is delivered without a broker",
        ),
        Setting(
            "AMQP_REPUBLISH_SECONDS",
            "if a mail is still undelivered so many seconds after the relay has published it, the relay publishes it "
            "again",
        ),
    ),
    "Mail and webhooks": (
        Setting(
            "EMAIL_URL",
            "`smtp+tls://user:password@host:587`; also `smtp+ssl://` (465), `smtp://` (25), `eml:///folder`",
        ),
        Setting("EMAIL_FROM", "the sender of all mail", "`SITE_NAME <hello@` the host of `SITE_URL` `>`"),
        Setting(
            "MAIL_FROM_NAME",
            "the sender’s name in invitations of a person; `%(inviter)s` and `%(site)s` stand for names",
            "`%(inviter)s via %(site)s`, in the language of the mail",
        ),
        Setting(
            "BOUNCE_ADDRESS",
            "the address to which undeliverable mail returns: `bounces@example.com` becomes `bounces+ID@example.com`, "
            "with another ID for each mail",
            "the sender of the mail",
        ),
        Setting(
            "WEBHOOKS_ALLOWED_NETWORKS",
            "private networks in which webhooks, and apps that are told of sign-outs, may be called, over http too: "
            "`10.0.0.0/8,fd00::/8`; the same for web servers, which check addresses, and workers, which call them",
            "public addresses only",
        ),
    ),
    "Who may join": (
        Setting(
            "SIGNUP",
            "`open`: anyone who proves an address may join; `invited`: only people with an invitation, and others can "
            "ask for one; `request`: the same, and the start page says so first; `domains`: people with an invitation, "
            "and anyone with an address at one of `SIGNUP_DOMAINS`",
        ),
        Setting(
            "SIGNUP_DOMAINS",
            "domains with commas between them: `example.com` is that one alone, `*.edu` all below it",
            "none",
        ),
        Setting(
            "BLOCKED_DOMAINS",
            "domains, written likewise, whose people need an invitation, whatever `SIGNUP` says",
            "none",
        ),
        Setting(
            "DISPOSABLE_MAILBOXES",
            "`refuse`: people with a mailbox that is known to be thrown away need an invitation, too",
        ),
        Setting(
            "DOMAIN_GROUPS",
            "groups that people are put into when they join with an address of a domain: "
            "`example.com:Staff,*.edu:Students`",
            "none",
        ),
        Setting(
            "PROFILE_FIELDS",
            "what people are asked about themselves, such as `name,job:optional,phone:optional:tel`",
            "nothing",
        ),
        Setting(
            "PROFILE_FORM",
            "more of that: the form class of an app in `EXTRA_APPS`, such as `acme_door.forms.ProfileForm` "
            "([customise.md](customise.md#4-apps-of-your-own))",
            "none",
        ),
        Setting("MEMBERS_INVITE", "whether everybody who has an account may invite others"),
        Setting("MEMBERS_INVITE_QUOTA", "how many people each of them may invite within seven days"),
        Setting(
            "INVITE_LIFETIME",
            "how long an invitation works whose inviter says nothing else: `36h`, `10 days`, `2 weeks`",
            "or `INVITE_MAX_LIFETIME` if that is less",
        ),
        Setting(
            "INVITE_MAX_LIFETIME",
            "how long an inviter may let one work at most; at least an hour, a year at most",
        ),
        Setting(
            "INVITE_REMINDERS",
            "how many reminders of an invitation are planned, from 0 to 3; by hand staff may send them up to the third",
        ),
        Setting("INVITE_REMIND_EVERY", "how far apart planned reminders are, from a day to 30"),
    ),
    "Signing in": (
        Setting("PASSWORD_MIN_LENGTH", "characters, at least 8"),
        Setting(
            "PASSWORD_BREACHES_FILE",
            "a file of leaked passwords that `build_breach_filter` has made",
            "leaked passwords are not known",
        ),
        Setting("REQUIRE_STAFF_2FA", "whether staff must set up two-step verification before the desk opens"),
        Setting("DESK_IDLE_MINUTES", "minutes without a request to the desk after which it signs staff out"),
        Setting(
            "GOOGLE_CLIENT_ID",
            "that of a web client at Google, for “Continue with Google”",
            "no such button",
        ),
        Setting("GOOGLE_CLIENT_SECRET", "the secret of this client; set both, or neither", "no such button"),
        Setting(
            "GOOGLE_BASE_URL",
            "a stand-in that answers at Google’s own paths, over https except on this machine",
            "Google",
        ),
    ),
    "Looks": (
        Setting("BRAND_COLOR", "a colour like `#4b3fc7`, from which all others are derived", "green"),
        Setting("BRAND_COLOR_DARK", "the colour in the dark theme", "a light tone of `BRAND_COLOR`"),
        Setting("BRAND_LOGO", "the path of an SVG of at most 8 kB", "a door"),
        Setting(
            "BRAND_FAVICON",
            "the path of an SVG, PNG or ICO for the browser’s tab, at most 64 kB",
            "the logo, or the door, in your colour",
        ),
        Setting(
            "BRAND_MAIL_LOGO",
            "the `https://` address of a square PNG for the head of mails",
            "the first letter of `SITE_NAME` on your colour",
        ),
        Setting(
            "FOOTER_LINKS",
            "up to eight links below each page: `Status=https://status.example.com,Imprint=/imprint`",
            "none",
        ),
        Setting("TEMPLATE_DIRS", "folders with templates that come before ours; the same for all processes", "none"),
        Setting("LOCALE_DIRS", "folders with words that come before ours; the same for all processes", "none"),
        Setting("EXTRA_APPS", "Django apps of your own; the same for all processes", "none"),
    ),
    "Web server": (
        Setting("LOG_LEVEL", "the least that is logged: `INFO`, `WARNING` or `ERROR`", "under `make run` `WARNING`"),
        Setting("BIND", "address and port", "in the image `0.0.0.0:8000`"),
        Setting("WEB_CONCURRENCY", "processes of a web server; about one for each processor"),
        Setting("WEB_THREADS", "requests at once in each process; each thread keeps a connection to PostgreSQL"),
        Setting("HASH_THREADS", "password hashes at once in each process, at low priority; each takes 19 MiB"),
        Setting(
            "HASH_PLACES",
            "sign-ins and other requests that may wait for a hash; others get 503. With `HASH_THREADS` it must be "
            "below `WEB_THREADS`: `doctor` looks",
            "four fifths of `WEB_THREADS`, less `HASH_THREADS`",
        ),
        Setting("TRUSTED_PROXY_COUNT", "how many proxies of yours add to `X-Forwarded-For`"),
        Setting("HSTS_SECONDS", "with an https `SITE_URL`: how long browsers insist on https", "a year"),
        Setting(
            "HSTS_INCLUDE_SUBDOMAINS",
            "whether that holds for every subdomain: turn it on only when all of them are ready",
        ),
        Setting("HSTS_PRELOAD", "whether browsers may put the site into their own lists of https sites"),
        Setting(
            "STATIC_ROOT",
            "the folder that `collectstatic` has filled",
            "files are served from their sources; in the image it is `/srv/static`",
        ),
    ),
    "On your own machine": (
        Setting("DEBUG", "defaults for required settings; never for a site that others can reach"),
        Setting(
            "DEV_MAILBOX", "a mailbox at `/dev/mail/` that anyone can read; only with a `SITE_URL` on this machine"
        ),
        Setting("PORT", "for `make run`: the port of the site", "`8000`"),
        Setting(
            "FRONTDOOR_STATE",
            "for `make run`: the folder of its data, keys and mails",
            "`.frontdoor` beside `manage.py`",
        ),
    ),
}


def main() -> None:
    """Prints all tables as Markdown, each under a heading."""
    print("\n\n".join(f"### {title}\n\n{table(rows)}" for title, rows in TABLES.items()))  # noqa: T201


def table(rows: tuple[Setting, ...]) -> str:
    """Returns some settings as a table."""
    lines = [("name", "meaning", "default"), ("---",) * 3, *((names(row), row.meaning, default(row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def names(row: Setting) -> str:
    """Returns the name of a setting, and of the variable that names its file if it may be in one."""
    in_file = f", `{row.name}_FILE`" if row.name in secret_files.SECRETS else ""
    return f"`{row.name}`{in_file}"


def default(row: Setting) -> str:
    """Returns the default as the code has it, then in words; words alone if it has none, or one of this very site."""
    value = env.defaults.get(row.name)
    if value is None or value in ("", []) or settings.SITE_HOST in str(value):
        return row.without
    return ": ".join(filter(None, (f"`{written(value)}`", row.without)))


def written(value: Any) -> str:
    """Returns a value as the environment writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main()
