"""All settings, from the environment.

With DEBUG off a missing or weak value ends the start with one line that names it.
"""

from datetime import timedelta
from email.utils import formataddr
from pathlib import Path

from django.utils.csp import CSP

from config import keys, loading, logs
from config.brand import given as brand
from config.environment import domains, google, mail, overlays, people, servers, site
from config.environment.variables import THIS_MACHINE, env, folders, number, one_of, read, span, web_address
from kit import spans

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = read(env.bool, "DEBUG", default=False)

# The site and its keys

SECRET_KEY = keys.secret_key(debug="insecure-and-only-for-your-own-machine-while-DEBUG-is-on")
SECRET_KEY_FALLBACKS = keys.former_secret_keys()

_site = site.site_url(debug="http://localhost:8000")
SITE_URL = _site.geturl()
SITE_HOST = _site.hostname or ""
SITE_NAME = env.str("SITE_NAME", default="Frontdoor").strip() or "Frontdoor"
SUPPORT_CONTACT = env.str("SUPPORT_CONTACT", default=f"help@{site.in_address(SITE_HOST)}")
# Where to report vulnerabilities: what /.well-known/security.txt says, which is not there without.
SECURITY_CONTACT = site.security_contact()
# The product behind this door, to which the main button leads whoever is signed in.
PRODUCT_URL = web_address("PRODUCT_URL", "http://app.example.com or https://app.example.com")
# Where people go after signing in, if they were not on their way to another page. It may be on another host.
SIGNED_IN_URL = web_address("SIGNED_IN_URL", "http://app.example.com or /a/path", path=True)
PRODUCT_NAME = site.product_name(PRODUCT_URL or SIGNED_IN_URL) or SITE_NAME
TERMS_URL = env.str("TERMS_URL", default="")
# People agree to this version of the terms when they join, and once more when it changes (accounts/terms.py).
TERMS_VERSION = people.terms_version(TERMS_URL)
TERMS_CHANGES = people.terms_changes(TERMS_VERSION)
PRIVACY_URL = env.str("PRIVACY_URL", default="")
# What people are asked about themselves (accounts/profile_fields.py).
PROFILE_FIELDS = people.profile_fields()
PROFILE_FORM = env.str("PROFILE_FORM", default="")
PROFILE_RESERVED = people.RESERVED_FIELDS

# What pages and mails look like: docs/customise.md.
BRAND_PALETTE = brand.colours()
BRAND_LOGO = brand.logo()
BRAND_MAIL_LOGO = brand.mail_logo()
BRAND_SHEET = brand.sheet(BRAND_PALETTE)
BRAND_ICON = brand.icon(BRAND_LOGO, BRAND_PALETTE)
FOOTER_LINKS = brand.footer_links()

# "open" lets in everyone who proves an address, "invited" only those who have an invitation, and so does "request",
# whose start page tells others first that they can ask for one. "domains" lets in everyone, beside those invited, who
# proves an address at one of SIGNUP_DOMAINS. An invitation lets in from any domain.
SIGNUP = one_of("SIGNUP", "open", "invited", "request", "domains")
SIGNUP_DOMAINS = domains.let_in(SIGNUP)
BLOCKED_DOMAINS = frozenset(domains.listed("BLOCKED_DOMAINS"))
# "allow" unless the operator decides: others keep the list, and nobody should be turned away by it unasked.
DISPOSABLE_MAILBOXES = one_of("DISPOSABLE_MAILBOXES", "allow", "refuse")
# The groups, by their names, that people are put into who join with an address of a domain.
DOMAIN_GROUPS = domains.groups()
# Whether everyone with an account may invite others, and how many people each may invite within seven days.
MEMBERS_INVITE = read(env.bool, "MEMBERS_INVITE", default=False)
MEMBERS_INVITE_QUOTA = number("MEMBERS_INVITE_QUOTA", 10, least=1)
# How long an invitation works, and how long one at most whose inviter chooses that.
_hour, _year = timedelta(hours=1), timedelta(days=365)
INVITE_MAX_LIFETIME = span("INVITE_MAX_LIFETIME", "90d", least=_hour, most=_year)
_usual = spans.write(min(timedelta(days=7), INVITE_MAX_LIFETIME))
INVITE_LIFETIME = span("INVITE_LIFETIME", _usual, least=_hour, most=INVITE_MAX_LIFETIME)
# How many reminders of an invitation are sent by a timer, and how far apart.
INVITE_REMINDERS = number("INVITE_REMINDERS", 1, least=0, most=3)
INVITE_REMIND_EVERY = span("INVITE_REMIND_EVERY", "2d", least=timedelta(days=1), most=timedelta(days=30))

# Exact hosts only: a redirect may lead a visitor to any name listed here.
ALLOWED_HOSTS = [site.in_url(host) for host in (THIS_MACHINE if SITE_HOST in THIS_MACHINE else [SITE_HOST])]
HTTPS = _site.scheme == "https"

# Rooms

# Apps of the operator. Their templates, translations and static files come before ours, as do the folders below.
_extra = overlays.extra_apps()
EXTRA_APPS = list(_extra)
_overlays = {kind: [folder / kind for folder in _extra.values()] for kind in ("templates", "locale", "static")}

INSTALLED_APPS = [
    *EXTRA_APPS,
    "config.apps.AdminConfig",
    "accounts",  # before django.contrib.auth, whose command for a new password it replaces
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.mfa",
    "allauth.idp.oidc",
    "outbox",
    "sso",
    "invites",
    "operations",
]

MIDDLEWARE = [
    "config.edge.middleware.log_requests",
    "config.edge.middleware.drop_disguised_cookies",
    "config.edge.middleware.answer_at_once",
    "config.edge.middleware.read_scheme",
    "config.edge.headers.send_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.edge.middleware.refuse_plain_http",
    "config.edge.bodies.refuse_unreadable_bodies",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.edge.compression.CompressionMiddleware",
    "config.edge.brand_files.send_brand_files",
    "config.edge.middleware.answer_apps",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.AccountLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.edge.bodies.refuse_lists_of_strangers",
    "config.edge.bodies.refuse_hostile_input",
    "accounts.middleware.forget_stale_sessions",
    "accounts.middleware.remember_devices",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.edge.onward.lead_on_by_a_page",
    "accounts.middleware.LimitMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*folders("TEMPLATE_DIRS"), *_overlays["templates"], BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
            "libraries": {"times": "kit.templatetags.times"},
            "builtins": ["kit.templatetags.addresses"],  # the filter `readable`
        },
    },
]
FORM_RENDERER = "config.widgets.Renderer"

# Data

# How long PostgreSQL may keep silent, to an old connection and then to a new one, until visitors are told that it is
# away (config/failover/postgres).
DATABASE_SILENCE_SECONDS = number("DATABASE_SILENCE_SECONDS", 2, least=1)
DATABASES = {"default": servers.database(debug="postgres://postgres@localhost/frontdoor")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 600,  # seconds
    "CONN_HEALTH_CHECKS": True,
    # A database host that drops packets must cost a visitor seconds, not minutes. Its silence must be noticed first.
    "OPTIONS": {"connect_timeout": DATABASE_SILENCE_SECONDS + 3} | DATABASES["default"].get("OPTIONS", {}),
}

REDIS_URL = servers.redis(debug="redis://localhost:6379/0")
_REDIS_OPTIONS = {
    "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
    "SOCKET_CONNECT_TIMEOUT": 0.25,  # seconds
    "SOCKET_TIMEOUT": 0.25,
}
CACHES = {
    # Limits are counted here, and in the memory of each process while Redis is away.
    "default": {
        "BACKEND": "config.failover.cache.FailoverCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "limits",
        "OPTIONS": _REDIS_OPTIONS,
    },
    # Copies of sessions; PostgreSQL is the truth and answers while Redis is away.
    "sessions": {
        "BACKEND": "config.failover.cache.OptionalCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "sessions",
        "OPTIONS": _REDIS_OPTIONS,
    },
}

# People and sessions

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.password.backend.Backend"]
# The second hashes secrets of apps, never a password: they are random (sso/secret.py).
PASSWORD_HASHERS = ["accounts.password.hashers.Argon2", "sso.secret.SecretHasher"]
# Each process computes so many hashes at once, at low priority, and so many requests may wait for them. Each of these
# keeps a thread of the web server: some are left for requests that need no hash.
WEB_THREADS = number("WEB_THREADS", 16, least=1)
HASH_THREADS = number("HASH_THREADS", 1, least=1)
HASH_PLACES = number("HASH_PLACES", max(1, WEB_THREADS - WEB_THREADS // 5 - HASH_THREADS), least=1)
# NIST SP 800-63B-4 asks for 15 where the password is the only factor.
PASSWORD_MIN_LENGTH = number("PASSWORD_MIN_LENGTH", 15, least=8)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.password.rules.LengthValidator", "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH}},
    {"NAME": "accounts.password.rules.GuessableValidator"},
]
# The filter of leaked passwords that build_breach_filter has made; "" for none.
PASSWORD_BREACHES_FILE = people.breaches_file()
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"

SESSION_ENGINE = "accounts.session.store"
SESSION_CACHE_ALIAS = "sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds from the owner's last proof; requests alone do not extend it
DESK_IDLE_MINUTES = number("DESK_IDLE_MINUTES", 60, least=1)
# Strict would lose the session on every link opened from webmail and on the way back from Google.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# Over http other programs on localhost have names for cookies, too, and browsers do not tell their ports apart.
COOKIE_PREFIX = "__Host-" if HTTPS else "frontdoor_"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrf"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}language"
MESSAGE_STORAGE = "config.edge.messages.BrowserStorage"  # a cookie, so that messages need no session

# We use only the table of addresses of allauth's account app; the adapter closes its sign-up.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"

# Google

GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", default="")  # if empty, no page offers "Continue with Google"
GOOGLE_CLIENT_SECRET = google.secret(GOOGLE_CLIENT_ID)
# The origin of a stand-in for Google, with Google's own paths: for tests, and for networks without Google.
_google = google.base_url()
SOCIALACCOUNT_ADAPTER = "accounts.adapters.GoogleAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds to wait for each answer of Google
SOCIALACCOUNT_PROVIDERS = {
    "google": {
        "SCOPE": ["openid", "email"],
        "OAUTH_PKCE_ENABLED": True,
        **google.endpoints(_google),
    }
}

# Apps behind the door: the engine of OpenID Connect, always behind views of ours (sso/)

IDP_OIDC_ADAPTER = "sso.adapter.Adapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 10 * 60  # seconds
IDP_OIDC_ID_TOKEN_EXPIRES_IN = 60 * 60  # nothing can end one, and some apps hand it back when somebody signs out
IDP_OIDC_INTROSPECTION_ENABLED = True
IDP_OIDC_RATE_LIMITS = False  # our own views count (sso/limits.py)

# The second factor

MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # periods: codes are typed slowly, and clocks of phones are off (RFC 6238 §5.2)
REQUIRE_STAFF_2FA = read(env.bool, "REQUIRE_STAFF_2FA", default=False)
# The first key encrypts the secrets of authenticator apps and webhooks, and the keys that sign what apps are told; all
# keys decrypt them (kit/encryption.py).
ENCRYPTION_KEYS = keys.encryption_keys(SECRET_KEY, *SECRET_KEY_FALLBACKS)

# Limits

# The number of our proxies between a visitor and this process; each adds one entry to X-Forwarded-For.
TRUSTED_PROXY_COUNT = number("TRUSTED_PROXY_COUNT", 0, least=0)
RATELIMIT_USE_CACHE = "default"
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001",  # django-ratelimit knows good caches by name only; FailoverCache counts as Redis does
    "security.W005",  # HSTS for the other hosts of the domain is for the operator to decide
    "security.W021",  # so is HSTS preloading
]

# Safety on the wire

CSRF_FAILURE_VIEW = "config.edge.out_of_date.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
SECURE_REFERRER_POLICY = "same-origin"  # no-referrer would make browsers send "Origin: null" with every form
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    # Its button is a form that leads to Google.
    "form-action": [CSP.SELF, *([_google or "https://accounts.google.com"] if GOOGLE_CLIENT_ID else [])],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# Programs that ask over http are refused by config.edge.middleware.
SECURE_REDIRECT_EXEMPT = ["^api/(?!v1/auth/google/response$)", "^identity/o/api/"]
if HTTPS:
    SECURE_HSTS_SECONDS = read(env.int, "HSTS_SECONDS", default=365 * 24 * 60 * 60)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = read(env.bool, "HSTS_INCLUDE_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = read(env.bool, "HSTS_PRELOAD", default=False)
    SECURE_SSL_REDIRECT = True
    SECURE_SSL_HOST = _site.netloc  # redirects lead there whatever port the request named
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Mail. All that any code sends goes into the outbox ("default"); deliver_mail hands it to "delivery".

DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default=formataddr((SITE_NAME, f"hello@{site.in_address(SITE_HOST)}")))

# The sender's name in invitations of a person, like "%(inviter)s via %(site)s".
MAIL_FROM_NAME = mail.from_name()

# With a broker, relay_mail publishes what waits in the outbox, and deliver_mail consumes it. Web servers only check
# whether a broker is set: then they store events for other services.
AMQP_URL = servers.amqp()
AMQP_REPUBLISH_SECONDS = number("AMQP_REPUBLISH_SECONDS", 300, least=1)

# Private networks in which webhooks may be called, even over http (outbox/webhooks/targets.py).
WEBHOOKS_ALLOWED_NETWORKS = servers.webhook_networks()

# The address to which undeliverable mail returns: bounces@example.com becomes bounces+ID@example.com.
BOUNCE_ADDRESS = mail.bounce_address()

MAILERS = {"default": {"BACKEND": "outbox.mail.backends.OutboxBackend"}, "delivery": mail.delivery()}
# The folder of .eml files that /dev/mail/ shows. Whoever reads them can sign in as anyone, so only on a local site.
DEV_MAILBOX = ""
if read(env.bool, "DEV_MAILBOX", default=False) and SITE_HOST in THIS_MACHINE:
    DEV_MAILBOX = MAILERS["delivery"]["OPTIONS"].get("file_path", "")

# Words, times and files

_words = overlays.catalogues("LOCALE_DIRS")
LOCALE_PATHS = [*_words, *_overlays["locale"], BASE_DIR / "locale"]
# An app of EXTRA_APPS may speak languages that no page of ours does.
LANGUAGES = overlays.languages([*_words, BASE_DIR / "locale"])
# For whoever asks for none of these, by the browser or an account.
LANGUAGE_CODE = LANGUAGES[0][0]
# Whoever reads the site in another language reads the desk in the first of these.
DESK_LANGUAGES = [code for code, _name in LANGUAGES if code in {"en", "ru"}] or ["en"]
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [*filter(Path.is_dir, _overlays["static"]), BASE_DIR / "static"]
# Where collectstatic puts compressed files with hashed names; if empty, files are served from their sources.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}

# Logs: one line per event on stdout, without secrets.

LOGGING = logs.LOGGING

# Last, as the code of an app may read settings.

loading.check_apps(_extra, INSTALLED_APPS[len(_extra) :])
