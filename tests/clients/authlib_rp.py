"""An app that signs people in with Authlib, as one file of Django. Its settings are in the environment."""

import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from authlib.integrations.base_client import OAuthError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import path

ISSUER, PORT = os.environ["ISSUER"], int(os.environ["PORT"])
HOME = f"http://127.0.0.1:{PORT}"

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="of-an-app-in-a-test",
    ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    SESSION_COOKIE_NAME="authlib",
)
django.setup()

app = OAuth().register(
    "frontdoor",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email groups", "code_challenge_method": "S256"},
)
kept = {}


def login(request):
    return app.authorize_redirect(request, f"{HOME}/callback", **request.GET.dict())


def callback(request):
    try:
        kept["token"] = app.authorize_access_token(request)
    except OAuthError as problem:
        return JsonResponse({"error": problem.error}, status=500)
    return HttpResponse(f"<h1>Hello, {kept['token']['userinfo']['name']}</h1>")


def userinfo(request):
    return JsonResponse(dict(app.userinfo(token=kept["token"])))


def refresh(request):
    session = app._get_oauth_client(**app.load_server_metadata())
    fresh = session.refresh_token(app.load_server_metadata()["token_endpoint"], kept["token"]["refresh_token"])
    kept["token"] |= fresh
    return JsonResponse({"refreshed": True})


urlpatterns = [path(view.__name__, view) for view in (login, callback, userinfo, refresh)]


class Silent(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


if __name__ == "__main__":
    from django.core.wsgi import get_wsgi_application

    make_server("127.0.0.1", PORT, get_wsgi_application(), handler_class=Silent).serve_forever(0.01)
    sys.exit()
