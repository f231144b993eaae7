"""The stand-in for Google refuses what Google refuses; accounts.google.client reads or refuses every answer."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount
from cryptography.x509 import load_pem_x509_certificate
from django.db import connection, transaction
from django.test import RequestFactory
from django.utils import timezone

from accounts.google import client as site
from accounts.session.store import SessionStore
from tests.faults.parts import wait_until
from tests.tools.google import AUTHORIZE, CALLBACK, CERTS, CONSENT, TOKEN, Person, TokenAnswer, challenge

pytestmark = pytest.mark.django_db

VERIFIER = "a-verifier-of-at-least-43-characters-0123456789"


class Visitor:
    """One browser's session that calls accounts.google.client without any page."""

    def __init__(self):
        self.key = None

    def go(self, path="/", **data):
        """Starts a visit to Google. Returns the URL to which the site sends the browser."""
        request = self.request(path)
        location = site.redirect(request, **data)["Location"]
        self.keep(request)
        return location

    def back(self, path):
        """Returns what the site reads in Google's answer at `path`. Raises client.Failed."""
        request = self.request(path)
        try:
            return site.answer(request)
        finally:
            self.keep(request)

    def request(self, path):
        request = RequestFactory().get(path)
        request.session = SessionStore(self.key)
        return request

    def keep(self, request):
        """Stores the session of `request`, as Django's middleware does."""
        if not request.session.is_empty():
            request.session.save()
        self.key = request.session.session_key


@pytest.fixture
def visitor():
    return Visitor()


@pytest.fixture
def sign_in(google, visitor):
    """A function that goes to Google and back, and returns what the site has read. It raises client.Failed."""
    return lambda: visitor.back(google.consent(visitor.go()))


def later(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def query(location):
    return dict(parse_qsl(urlsplit(location).query))


# The stand-in


@pytest.fixture
def asked(google):
    """The query of a valid authorization request."""
    return {
        "client_id": google.client_id,
        "redirect_uri": google.registered,
        "response_type": "code",
        "scope": "email openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    }


@pytest.fixture
def paid(google, asked):
    """The fields of a valid token request, with a fresh code."""
    back = google.consent(f"{google.url}{AUTHORIZE}?{urlencode(asked)}")
    return {
        "code": query(back)["code"],
        "client_id": google.client_id,
        "client_secret": google.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": google.registered,
        "code_verifier": VERIFIER,
    }


def verified(google, token):
    """Returns the claims of an id token, verified by the certificate that the stand-in publishes."""
    certificates = json.loads(google.ask("GET", CERTS)[1])
    key = load_pem_x509_certificate(certificates[jwt.get_unverified_header(token)["kid"]].encode()).public_key()
    return jwt.decode(token, key, algorithms=["RS256"], audience=google.client_id)


def test_the_stand_in_shows_who_would_continue_and_who_was_expected(google, asked):
    google.person = Person(email="<ada>@gmail.com")

    answer, page = google.ask("GET", f"{AUTHORIZE}?{urlencode(asked | {'login_hint': 'a&b@gmail.com'})}")

    assert answer.status == 200
    assert "Continue as &lt;ada&gt;@gmail.com" in page
    assert "Asked for a&amp;b@gmail.com" in page


NOT_AGREED = [
    ("client_id", "other", "client refused"),
    ("redirect_uri", f"https://evil.example{CALLBACK}", "redirect_uri refused"),
    ("response_type", "token", "response_type refused"),
    ("scope", "openid email profile", "scope refused"),
    ("scope", "openid", "scope refused"),
    ("scope", "openid openid email", "scope refused"),
    ("state", "", "state missing"),
    ("nonce", "", "nonce missing"),
    ("code_challenge", "", "code_challenge refused"),
    ("code_challenge", VERIFIER, "code_challenge refused"),
    ("code_challenge_method", "plain", "code_challenge_method refused"),
]


def test_the_stand_in_refuses_a_question_that_is_not_as_agreed(google, asked, subtests):
    for name, value, said in NOT_AGREED:
        with subtests.test(name=name, value=value):
            answer, page = google.ask("GET", f"{AUTHORIZE}?{urlencode(asked | {name: value})}")

            assert answer.status == 400
            assert said in page
            assert not google.asked


def test_a_parameter_that_comes_twice_is_refused(google, asked):
    answer, page = google.ask("GET", f"{AUTHORIZE}?{urlencode(asked)}&scope=profile")

    assert answer.status == 400
    assert "repeated" in page


def test_a_cancel_brings_the_state_back_and_no_code(google, asked):
    back = google.cancel(f"{google.url}{AUTHORIZE}?{urlencode(asked)}")

    assert query(back) == {"error": "access_denied", "state": "s"}
    assert not google.grants


def test_a_code_buys_a_signed_token_about_the_person_who_consented(google, paid):
    google.person = Person(sub="2", email="grace@gmail.com")

    answer = json.loads(google.ask("POST", TOKEN, **paid)[1])

    claims = verified(google, answer["id_token"])
    assert {name: claims[name] for name in ("iss", "aud", "sub", "email", "email_verified", "nonce")} == {
        "iss": "https://accounts.google.com",
        "aud": google.client_id,
        "sub": Person().sub,
        "email": "ada@gmail.com",
        "email_verified": True,
        "nonce": "n",
    }
    assert claims["exp"] - claims["iat"] == 60 * 60
    assert answer["token_type"] == "Bearer"
    assert [visit.path for visit in google.visits] == [AUTHORIZE, CONSENT, TOKEN, CERTS]


def test_the_stand_in_can_give_a_token_with_a_bad_signature(google, paid):
    google.token_answer = TokenAnswer.BAD_SIGNATURE

    answer = json.loads(google.ask("POST", TOKEN, **paid)[1])

    with pytest.raises(jwt.InvalidSignatureError):
        verified(google, answer["id_token"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "4/other"),
        ("client_id", "other"),
        ("client_secret", "other"),
        ("grant_type", "refresh_token"),
        ("redirect_uri", "http://testserver/"),
        ("code_verifier", "other"),
    ],
)
def test_a_code_is_refused_if_anything_sent_with_it_is_wrong(google, paid, name, value):
    answer, said = google.ask("POST", TOKEN, **paid | {name: value})

    assert answer.status == 400
    assert json.loads(said)["error"] == "invalid_grant"


def test_a_code_works_once(google, paid):
    assert [google.ask("POST", TOKEN, **paid)[0].status for _ in range(2)] == [200, 400]


def test_a_code_works_for_a_minute(google, paid):
    with later(seconds=61):
        assert google.ask("POST", TOKEN, **paid)[0].status == 400


# The site


def test_googles_answer_names_the_person_and_the_data_sent_along(google, visitor):
    google.person = Person(sub="1001", email="Ada@Gmail.com")

    answer = visitor.back(google.consent(visitor.go(purpose="enter", next="/account")))

    identity = site.Identity(uid="1001", email="ada@gmail.com", is_verified=True, is_authority=True)
    assert answer == (identity, {"purpose": "enter", "next": "/account"})


def test_google_is_asked_for_the_address_and_no_more(google, visitor):
    google.consent(visitor.go(hint="ada@gmail.com"))

    asked = google.visits[0].query
    assert sorted(asked.pop("scope").split()) == ["email", "openid"]
    assert (asked["prompt"], asked["login_hint"]) == ("select_account", "ada@gmail.com")
    assert set(asked) == {
        *("client_id", "code_challenge", "code_challenge_method", "login_hint", "nonce", "prompt", "redirect_uri"),
        *("response_type", "state"),
    }


def test_a_link_to_the_site_decides_nothing_that_google_is_asked(google, visitor):
    asked = query(visitor.go("/?scope=profile,https://mail.google.com/&auth_params=prompt%3Dnone%26hd%3Devil.example"))

    assert sorted(asked["scope"].split()) == ["email", "openid"]
    assert asked["prompt"] == "select_account"
    assert "hd" not in asked


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1_000_000_000},
        {"exp": math.inf},
        {"exp": "soon"},
        {"sub": None},
        {"sub": ""},
        {"sub": 1001},
        {"sub": "1" * 300},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": "other"},
        {"nonce": 1},
        {"email": 1},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_visit_says_nothing(google, sign_in, claims):
    google.claims = claims

    with pytest.raises(site.Failed) as failure:
        sign_in()

    assert not failure.value.is_cancelled


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (TokenAnswer.ERROR, "OAuth2Error"),
        (TokenAnswer.NOT_JSON, "JSONDecodeError"),
        (TokenAnswer.LIST, "OAuth2Error"),
        (TokenAnswer.NO_ID_TOKEN, "no id token"),
        (TokenAnswer.DROP, "ConnectionError"),
    ],
    ids=str,
)
def test_an_invalid_answer_fails_with_its_cause_but_no_token(google, sign_in, answer, cause):
    google.token_answer = answer

    with pytest.raises(site.Failed, match=cause) as failure:
        sign_in()
    assert "ya29" not in str(failure.value)  # an access token


def test_a_google_that_says_nothing_is_not_waited_for(google, sign_in, settings):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.3
    google.token_answer = TokenAnswer.HANG

    with pytest.raises(site.Failed, match="ReadTimeout"):
        sign_in()

    assert len(google.held) == 1  # by then the server has still not answered
    google.release()
    wait_until(lambda: not google.held)


def test_a_google_that_is_away_fails(google, sign_in, monkeypatch, closed_port):
    monkeypatch.setattr(site.Client, "access_token_url", "http://{}:{}/token".format(*closed_port))

    with pytest.raises(site.Failed, match="ConnectionError"):
        sign_in()


def test_cancelling_at_google_fails_as_cancelled(google, visitor):
    with pytest.raises(site.Failed) as failure:
        visitor.back(google.cancel(visitor.go()))

    assert failure.value.is_cancelled


@pytest.mark.parametrize("error", ["error=server_error", "error=", ""])
def test_an_error_of_google_does_not_count_as_cancelled(google, visitor, error):
    state = query(visitor.go())["state"]

    with pytest.raises(site.Failed) as failure:
        visitor.back(f"{CALLBACK}?state={state}&{error}")

    assert not failure.value.is_cancelled


def test_a_wrong_code_fails(google, visitor):
    state = query(visitor.go())["state"]

    with pytest.raises(site.Failed, match="OAuth2Error"):
        visitor.back(f"{CALLBACK}?state={state}&code=4/other")


def test_a_callback_works_once(google, visitor):
    back = google.consent(visitor.go())
    visitor.back(back)
    asked = len(google.visits)

    with pytest.raises(site.Failed):
        visitor.back(back)

    assert len(google.visits) == asked  # the state alone was enough to recognise the second one


def test_the_state_of_another_browser_is_refused(google, visitor):
    back = google.consent(visitor.go())
    other = Visitor()
    other.go()

    with pytest.raises(site.Failed):
        other.back(back)

    assert google.visits[-1].path == CONSENT
    assert visitor.back(back)[0].email == "ada@gmail.com"  # the failed try has not used the state up


def test_a_callback_out_of_nowhere_fails(google, visitor):
    for said in ("", "?code=c", "?state=s&code=c", "?error=access_denied"):
        with pytest.raises(site.Failed) as failure:
            visitor.back(CALLBACK + said)
        assert not failure.value.is_cancelled
    assert not google.visits


def test_a_visit_to_google_lasts_ten_minutes(google, visitor):
    early, late = visitor.go(), visitor.go()
    with later(minutes=9, seconds=30):
        visitor.back(google.consent(early))
    with later(minutes=10, seconds=2), pytest.raises(site.Failed):
        visitor.back(google.consent(late))


def test_the_code_of_another_visit_does_not_sign_in_here(google, visitor):
    """PKCE: an attacker's link with the attacker's code does not sign the victim in to the attacker's account."""
    stolen = query(google.consent(Visitor().go()))["code"]
    state = query(visitor.go())["state"]

    with pytest.raises(site.Failed, match="OAuth2Error"):
        visitor.back(f"{CALLBACK}?{urlencode({'state': state, 'code': stolen})}")


def test_a_token_of_another_visit_changes_nothing(google, visitor, ada):
    ada.google.adopt(Person().sub, "ada@gmail.com")
    google.person = Person(email="new@gmail.com")
    google.claims = {"nonce": query(Visitor().go())["nonce"]}

    with pytest.raises(site.Failed, match="nonce"):
        visitor.back(google.consent(visitor.go()))

    assert ada.google.email == "ada@gmail.com"


@pytest.mark.parametrize("said", ["true", "True", 1, None, False])
def test_only_a_plain_true_makes_an_address_verified(google, sign_in, said):
    google.claims = {"email_verified": said}

    identity, _data = sign_in()

    assert (identity.email, identity.is_verified) == ("ada@gmail.com", False)


@pytest.mark.parametrize("email", ["адa@gmail.com", "\u212aelvin@gmail.com", "ada", "a@b@gmail.com", '"ada"@gmail.com'])
def test_an_address_that_no_mail_reaches_is_not_verified(google, sign_in, email):
    google.person = Person(email=email)

    identity, _data = sign_in()

    assert (identity.email, identity.is_verified) == (email, False)


@pytest.mark.parametrize("email", [None, ""], ids=["no claim", "empty"])
def test_a_person_without_an_address_at_google_has_none_here(google, sign_in, email):
    google.claims = {"email": email}

    identity, _data = sign_in()

    assert (identity.email, identity.is_verified, identity.is_authority) == ("", False, False)


@pytest.mark.parametrize(
    ("email", "hd", "is_authority"),
    [
        ("ada@gmail.com", "", True),
        ("ada@googlemail.com", "", True),
        ("ada@GMAIL.COM", "", True),
        ("ada@example.com", "example.com", True),
        ("ada@example.com", "EXAMPLE.com", True),
        ("ada@example.com", "example.com.", True),
        ("ada@bücher.example", "bücher.example", True),
        ("ada@bücher.example", "XN--BCHER-KVA.example", True),
        ("ada@xn--bcher-kva.example", "bücher.example", True),
        ("ada@gmail.com", "example.com", True),
        ("ada@example.com", "", False),
        ("ada@example.com", "other.example", False),
        ("ada@mail.example.com", "example.com", False),
        ("ada@example.com", "mail.example.com", False),
        ("ada@example.com", "gmail.com", False),
        ("ada@example.com", "ada@example.com", False),
        ("ada@example.com", ".", False),
        ("ada@example.com", "x@y", False),
        ("ada@notgmail.com", "", False),
        ("ada@gmail.com.example.com", "", False),
        ("ada@mail.gmail.com", "gmail.com", False),
    ],
)
def test_google_speaks_for_the_addresses_that_it_gives_out(google, sign_in, email, hd, is_authority):
    google.person = Person(email=email, hd=hd)

    identity, _data = sign_in()

    assert (identity.is_verified, identity.is_authority) == (True, is_authority)


@pytest.mark.parametrize("hd", [True, 1, ["example.com"], {"example.com": 1}, "example.com\0"])
def test_a_workspace_that_google_would_never_name_speaks_for_nothing(google, sign_in, hd):
    google.person, google.claims = Person(email="ada@example.com"), {"hd": hd}

    identity, _data = sign_in()

    assert (identity.is_verified, identity.is_authority) == (True, False)


def test_google_speaks_for_no_address_that_it_has_not_verified(google, sign_in):
    google.person = Person(email="ada@gmail.com", email_verified=False)

    identity, _data = sign_in()

    assert (identity.is_verified, identity.is_authority) == (False, False)


def test_only_the_newest_address_of_a_person_is_stored(google, sign_in, ada):
    ada.google.adopt(Person().sub, "old@gmail.com")
    google.claims = {"name": "Ada Lovelace", "picture": "https://example.com/ada.png", "locale": "en"}

    sign_in()

    assert SocialAccount.objects.get().extra_data == {"email": "ada@gmail.com"}


@pytest.mark.django_db(transaction=True)
def test_signing_in_while_google_is_being_disconnected_does_not_connect_it(google, visitor, ada):
    ada.google.adopt(Person().sub, "old@gmail.com")
    back = google.consent(visitor.go())

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ada.google.forget()
            answer = pool.submit(in_a_thread, visitor.back, back)
            wait_until(somebody_waits)
        assert answer.result()[0].uid == Person().sub

    assert not ada.google.account


def in_a_thread(do, *args):
    try:
        return do(*args)
    finally:
        connection.close()


def somebody_waits():
    """Returns whether another connection waits for a lock that this transaction holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id_if_assigned()::xid"
        )
        return cursor.fetchone()[0] > 0
