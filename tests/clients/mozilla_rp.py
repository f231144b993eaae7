"""An app that signs people in with mozilla-django-oidc, as one file of Django. Its settings are in the environment.

It asks again silently (prompt=none) as soon as its own idea of the sign-in is a second old.
"""

import os
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path

ISSUER, PORT = os.environ["ISSUER"], int(os.environ["PORT"])
API = f"{ISSUER}/identity/o/api"

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="of-an-app-in-a-test",
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mozilla_django_oidc"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["STATE"]}},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    SESSION_COOKIE_NAME="mozilla",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_RP_SCOPES="openid profile email",
    OIDC_USE_PKCE=True,
    OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS=1,
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/identity/o/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{API}/token",
    OIDC_OP_USER_ENDPOINT=f"{API}/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/.well-known/jwks.json",
    LOGIN_REDIRECT_URL="/home",
    LOGIN_REDIRECT_URL_FAILURE="/failed",
)
django.setup()


def home(request):
    name = request.user.email if request.user.is_authenticated else "stranger"
    return HttpResponse(f"<h1>Hello, {name}</h1>")


def failed(request):
    return HttpResponse("<h1>Not signed in</h1>")


urlpatterns = [path("home", home), path("failed", failed), path("oidc/", include("mozilla_django_oidc.urls"))]


class Silent(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


if __name__ == "__main__":
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    make_server("127.0.0.1", PORT, get_wsgi_application(), handler_class=Silent).serve_forever(0.01)
