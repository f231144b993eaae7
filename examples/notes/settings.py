"""Settings of the notes, from the environment."""

import os

from django.utils.csp import CSP

SECRET_KEY = os.environ["NOTES_SECRET_KEY"]
WEBHOOK_SECRET = os.environ["NOTES_WEBHOOK_SECRET"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["NOTES_DATABASE"],
        # One request after the other, so that no note is stored while the account of its writer is being deleted.
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
ALLOWED_HOSTS = os.environ.get("NOTES_HOSTS", "localhost,127.0.0.1").split(",")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # nginx always sets it

INSTALLED_APPS = ["notes"]
MIDDLEWARE = [
    "notes.middleware.keep_cookies_in_scheme",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "notes.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
TIME_ZONE = "UTC"

# nginx passes on the cookie of this name, and no other.
CSRF_COOKIE_NAME = "notes_csrf"
CSRF_COOKIE_PATH = "/notes/"
CSRF_COOKIE_HTTPONLY = True
# A script in these pages could do everything that the visitor can do at Frontdoor, which is under the same host.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # bytes
