"""A million people, a million invites, five million events: rows that PostgreSQL makes by itself, in minutes.

They spread over a year, most of them long over, as in a site that has been in use: each row stands among many others.
"""

from typing import NamedTuple

from django.db import connection
from django.utils import timezone


class Size(NamedTuple):
    people: int = 1_000_000
    invites: int = 1_000_000
    events: int = 5_000_000
    sessions: int = 100_000
    links: int = 200_000  # links that people asked for; each invitation has its own link beside them


# All values derive from the number of the row, so that a row of one table finds its partner in another. `at` gives the
# moment of row `n` of many, `key` an id of that moment (UUIDv7, RFC 9562).
FUNCTIONS = """
CREATE FUNCTION pg_temp.at(n bigint, many bigint) RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT timestamptz ''{now}'' - interval ''365 days'' * (1 - n::float8 / many)';
CREATE FUNCTION pg_temp.key(kind text, n bigint, many bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM pg_temp.at(n, many)) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(kind || n), 1, 3) || '8' || substr(md5(kind || n), 4, 15))::uuid
$$;
"""

PEOPLE = """
INSERT INTO accounts_user (id, username, email, password, is_active, is_staff, is_superuser, settings, terms,
    session_epoch, joined_at, last_login)
SELECT pg_temp.key('user', n, %(people)s), 'person' || n, 'person' || n || '@example.com',
    CASE WHEN n %% 9 = 0 THEN '!' ELSE 'argon2$' END,
    n %% 97 <> 0, n %% 9973 = 0, false, '{}', '[]', 0, pg_temp.at(n, %(people)s),
    CASE WHEN n %% 5 <> 0 THEN greatest(pg_temp.at(n, %(people)s), now() - interval '1 day' * (n * 7919 %% 300)) END
FROM generate_series(1::bigint, %(people)s) n
"""

ADDRESSES = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary") SELECT id, email, true, true FROM accounts_user
"""

# Three of five were accepted; of the rest most expired, some were declined or withdrawn, some are still open.
INVITES = """
INSERT INTO invites_invite (id, email, source, invited_by_id, batch, name, note, language, next, created_at, expires_at,
    lifetime, sent_at, sends, opened_at, reminded_at, reminders, remind_at, has_news, accepted_at, accepted_by_id,
    declined_at, revoked_at)
SELECT pg_temp.key('invite', n, %(invites)s),
    CASE WHEN n %% 5 < 3 THEN 'person' || (1 + (n - 1) * %(people)s / %(invites)s) ELSE 'guest' || n END
        || '@example.com',
    (ARRAY['member', 'admin', 'csv', 'csv', 'command', 'member'])[1 + n %% 6],
    CASE WHEN n %% 6 <> 4 THEN pg_temp.key('user', 1 + n * 7919 %% 1000, %(people)s) END,
    CASE WHEN n %% 6 IN (2, 3) THEN 'b_' || md5((n / 5000)::text) ELSE '' END,
    CASE WHEN n %% 6 IN (2, 3) THEN (ARRAY['Ada', 'Boris', 'Grace', 'Ольга', 'Yuri'])[1 + n %% 5] || ' '
        || (ARRAY['Hopper', 'Knuth', 'Lovelace', 'Иванова', 'Turing', 'Wirth', 'Xu'])[1 + n %% 7] ELSE '' END,
    '', (ARRAY['', 'en', 'ru'])[1 + n %% 3], '', made, made + interval '7 days',
    interval '7 days', made, 1 + n %% 2,
    CASE WHEN n %% 5 < 4 THEN made + interval '1 hour' END,
    CASE WHEN n %% 5 = 4 THEN made + interval '5 days' END, CASE WHEN n %% 5 = 4 THEN 1 ELSE 0 END,
    CASE WHEN n %% 5 = 3 THEN made + interval '5 days' END, n %% 500 = 1,
    CASE WHEN n %% 5 < 3 THEN made + interval '2 hours' END,
    CASE WHEN n %% 5 < 3 THEN pg_temp.key('user', 1 + (n - 1) * %(people)s / %(invites)s, %(people)s) END,
    CASE WHEN n %% 20 = 3 THEN made + interval '3 hours' END,
    CASE WHEN n %% 20 = 8 THEN made + interval '1 day' END
FROM generate_series(1::bigint, %(invites)s) n, LATERAL (SELECT pg_temp.at(n, %(invites)s) AS made) _
"""

OWN_LINKS = """
INSERT INTO invites_magiclink (id, email, purpose, invite_id, next, language, created_at, sent_at, expires_at, epoch,
    used_at, used_by_id, used_in)
SELECT id, email, 'invite', id, '', '', created_at, sent_at, expires_at, CASE WHEN accepted_at IS NOT NULL THEN 0 END,
    accepted_at, accepted_by_id, ''
FROM invites_invite
"""

# Three of five were used: half of them by newcomers who joined with them, half by people who had joined before. Of the
# rest every other one was mailed to a stranger who never came.
LINKS = """
INSERT INTO invites_magiclink (id, email, purpose, next, language, created_at, sent_at, expires_at, epoch, opened_at,
    used_at, used_by_id, used_in)
SELECT pg_temp.key('link', n, %(links)s),
    CASE WHEN n %% 5 < 4 THEN 'person' || who ELSE 'stranger' || n END || '@example.com',
    (ARRAY['link', CASE WHEN n %% 2 = 0 THEN 'register' ELSE 'reset' END, 'link'])[1 + n %% 3],
    '', (ARRAY['', 'en', 'ru'])[1 + n %% 3], made, made, made + interval '1 hour',
    CASE WHEN n %% 5 < 3 OR n %% 10 = 3 THEN 0 END, CASE WHEN n %% 5 < 3 THEN made + interval '9 minutes' END,
    CASE WHEN n %% 5 < 3 THEN made + interval '10 minutes' END,
    CASE WHEN n %% 5 < 3 THEN pg_temp.key('user', who, %(people)s) END, ''
FROM generate_series(1::bigint, %(links)s) n, LATERAL (
    SELECT pg_temp.at(n, %(links)s) AS made, n * %(people)s / %(links)s AS joined
) _, LATERAL (
    SELECT CASE WHEN n %% 2 = 0 THEN least(joined + 1, %(people)s) ELSE 1 + n * 7919 %% greatest(joined, 1) END AS who
) __
"""

MAILS = """
INSERT INTO outbox_outboxmessage (recipient, kind, about, parts, message_id, created_at, attempts, next_try_at,
    give_up_at, sent_at, bounced_at, given_up_at, last_answer)
SELECT email, kind, id, '{}', '<' || kind || '.' || id || '@localhost>', created_at,
    CASE WHEN n %% 500 = 0 THEN 3 ELSE 1 END, created_at, created_at + interval '3 days',
    CASE WHEN n %% 1000 <> 7 THEN created_at + interval '2 seconds' END,
    CASE WHEN n %% 1000 = 8 THEN created_at + interval '1 minute' END,
    CASE WHEN n %% 1000 = 7 THEN created_at + interval '3 days' END, '250 2.0.0 Ok'
FROM (
    SELECT id, email, created_at, row_number() OVER (ORDER BY id) AS n,
        CASE WHEN purpose = 'link' THEN CASE WHEN epoch IS NULL THEN 'link_new' ELSE 'link_known' END
             ELSE purpose END AS kind
    FROM invites_magiclink
) _
"""

EVENTS = """
INSERT INTO accounts_event (id, kind, user_id, ip, device, at, about, detail)
SELECT pg_temp.key('event', n, %(events)s),
    (ARRAY['signed_in', 'signed_in', 'signed_in', 'failed', 'signed_out', 'accepted', 'invited', 'created'])
        [1 + n %% 8],
    pg_temp.key('user', 1 + n * 7919 %% %(people)s, %(people)s), '192.0.2.1', 'Firefox/Linux',
    pg_temp.at(n, %(events)s),
    CASE WHEN n %% 8 IN (5, 6) THEN pg_temp.key('invite', 1 + n * 7919 %% %(invites)s, %(invites)s) END, '{}'
FROM generate_series(1::bigint, %(events)s) n
"""

SESSIONS = """
INSERT INTO accounts_session (session_key, session_data, expire_date, user_id, ip, device, created_at, handle)
SELECT md5('session' || n), '', now() + interval '12 hours' * (n::float8 / %(sessions)s - 0.1),
    pg_temp.key('user', 1 + n * 7919 %% %(people)s, %(people)s), '192.0.2.1', 'Firefox/Linux',
    now() - interval '12 hours' * (1.1 - n::float8 / %(sessions)s), md5('handle' || n)
FROM generate_series(1::bigint, %(sessions)s) n
"""


def fill(size=Size()):  # noqa: B008 it is a constant
    """Makes all rows in an empty database, and returns the number of rows of each table by its name."""
    made = insert(size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return made


def insert(size):
    """Makes all rows, perhaps in a transaction, and returns the number of rows of each table by its name."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS.replace("{now}", timezone.now().isoformat()))
        made = {}
        for statement in (PEOPLE, ADDRESSES, INVITES, OWN_LINKS, LINKS, MAILS, EVENTS, SESSIONS):
            cursor.execute(statement, size._asdict())
            table = statement.split()[2]
            made[table] = made.get(table, 0) + cursor.rowcount
    return made
