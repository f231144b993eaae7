"""A site map with stand-ins for the views of sso/, which lead to whatever address they are asked for, and the rest."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config import urls
from config.edge.openid_paths import AUTHORIZE, DOCUMENTS, DOORS
from kit.onward import name_place

FORM = """<!doctype html><title>Consent</title><form method="post">
<input type="hidden" name="csrfmiddlewaretoken" value="{}"><button>Agree</button></form>"""


class Redirect(HttpResponseRedirect):
    """A redirect that may also lead into a program on the visitor's device."""

    allowed_schemes = ("https", "http", "com.example.app", "javascript")


@csrf_exempt
def authorize(request: HttpRequest) -> HttpResponse:
    """Leads a GET on to `to`, and makes a GET of a POST."""
    if request.method == "POST":
        return HttpResponseRedirect(f"{AUTHORIZE}?{request.POST.urlencode()}", status=303)
    return Redirect(request.GET["to"])


def consent(request: HttpRequest) -> HttpResponse:
    """Shows a form whose POST leads to `to`; people call that place by `name`."""
    if request.method != "POST":
        return HttpResponse(FORM.format(get_token(request)))
    answer = Redirect(request.GET["to"], status=int(request.GET.get("status", "302")))
    name_place(answer, request.GET.get("name", ""))
    answer.set_cookie("kept", "yes")
    answer["X-Kept"] = "yes"
    answer["Cache-Control"] = "no-store"
    return answer


@csrf_exempt
def ask(request: HttpRequest) -> JsonResponse:
    """Says what an app asked, and whether it had a session."""
    if "fail" in request.GET:
        raise ZeroDivisionError
    said = {"fields": request.POST.dict(), "authorization": request.headers.get("Authorization", "")}
    return JsonResponse(said | {"session": hasattr(request, "session")})


urlpatterns = [
    path(AUTHORIZE.removeprefix("/"), authorize),
    path("consent", consent),
    path(f"{DOORS.removeprefix('/')}token", ask),
    *(path(document.removeprefix("/"), ask) for document in DOCUMENTS),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
