"""The end of logins, as parts of one statement: with the sessions they came from, or by themselves."""

from django.utils import timezone

from kit.one_statement import OneStatement, Write
from outbox.models.retry_times import until_given_up

ENDED = "UPDATE sso_login SET ended_at = %s WHERE id IN (TABLE {rows}) RETURNING id, app_id, person_id, sid, used_at"
# Whoever only got a code has never signed in to the app. An app may have signed in the same session again and again:
# one call ends all that.
CALLS = """
INSERT INTO sso_logoutcall (client_id, uri, sub, sid, made_at, attempts, next_try_at, give_up_at, last_answer)
SELECT DISTINCT app_id, logout_uri, person_id::text, sid, %s::timestamptz, 0, %s::timestamptz, %s::timestamptz, ''
FROM {ended} JOIN sso_app ON client_id = app_id WHERE logout_uri <> '' AND used_at IS NOT NULL
"""
UNBOUND = "DELETE FROM sso_bound WHERE login_id IN (SELECT id FROM {ended}) RETURNING token_id"
# A token that is stored while the statement waits for its login stays. It is worth what the login is worth: nothing.
TOKENS = "DELETE FROM allauth_idp_oidc_token WHERE id IN (TABLE {unbound})"

ALL_OF = "SELECT id FROM sso_login WHERE ended_at IS NULL AND person_id IN (SELECT id FROM {users})"
OF_ONE_SESSION = " AND handle = %s AND NOT offline"
# Locked in one order, so that two who end the same logins do not wait for each other.
LOCKED = " ORDER BY id FOR UPDATE"


def end(statement: OneStatement, rows: Write) -> str:
    """Adds to the statement what ends the logins that `rows` selects and locks, all of them open.

    Their tokens go, and each app with a logout address in which one was used has a LogoutCall. `rows` returns nothing
    but their ids. Returns the name of the part that holds the logins that have ended.
    """
    now = timezone.now()
    ended = statement.add(Write(ENDED.format(rows=statement.add(rows)), [now]))
    statement.add(Write(CALLS.format(ended=ended), [now, now, until_given_up()]))
    statement.add(Write(TOKENS.format(unbound=statement.add(Write(UNBOUND.format(ended=ended))))))
    return ended


def end_with_sessions(statement: OneStatement, users: str, handle: str) -> None:
    """Ends, in the statement that ends sessions, the logins that came from them (accounts.models.ended_sessions).

    An offline login goes on without the one session it came from, until its owner ends all.
    """
    rows = ALL_OF.format(users=users)
    end(statement, Write(rows + OF_ONE_SESSION + LOCKED, [handle]) if handle else Write(rows + LOCKED))
