"""The security history in whole sentences, for staff: who did what to whom. Each kind of event has one.

Many languages put verbs into the gender of who did it. A translation can avoid that: "%(who)s: …".
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Event, User
from kit.visitor import device_in_words

NAMED = 5  # people, at most, that one sentence names
GONE = _("deleted account")


@dataclass
class Invitation:
    """What a sentence says of the invitation that an event is about."""

    email: str = ""  # "" if it was erased
    inviter: str = ""  # a username
    groups: list[str] = field(default_factory=list)
    app: str = ""  # the name of the app that it leads to
    url: str = ""  # of its page at the desk
    batch: str = ""  # the id of the list that it was sent with


@dataclass
class Names:
    """What the sentence of one event must know of other rows."""

    invitation: Invitation = field(default_factory=Invitation)
    people: list[str] = field(default_factory=list)  # usernames of those it was done to, at most NAMED
    more: int = 0  # how many others it was done to


# The room of invitations adds the function that finds them: it takes their ids, and one or two statements.
FINDERS: list[Callable[[Collection[UUID]], dict[UUID, Invitation]]] = []


def find_invitations_by(find: Callable[[Collection[UUID]], dict[UUID, Invitation]]) -> None:
    """Has `find(ids)` called for the invitations that events are about. It returns those that exist, by id."""
    FINDERS.append(find)


SENTENCES = {
    Event.Kind.CREATED: _("%(who)s made an account"),
    Event.Kind.SIGNED_IN: _("%(who)s signed in"),
    Event.Kind.FAILED: _("Somebody typed a wrong password for %(who)s"),
    Event.Kind.GUESSED: _("Somebody typed many wrong passwords for %(who)s"),
    Event.Kind.PROLONGED: _("%(who)s stayed signed in for 12 more hours"),
    Event.Kind.SIGNED_OUT: _("%(who)s signed out everywhere"),
    Event.Kind.SESSION_ENDED: _("%(who)s ended a session: %(device)s"),
    Event.Kind.PASSWORD_CHANGED: _("%(who)s chose a new password"),
    Event.Kind.USERNAME_CHANGED: _("%(who)s changed their username from %(before)s"),
    Event.Kind.NAME_CHANGED: _("%(who)s changed the name that others read"),
    Event.Kind.PROFILE_CHANGED: _("%(who)s changed their details"),
    Event.Kind.TERMS_ACCEPTED: _("%(who)s agreed to the terms"),
    Event.Kind.EMAIL_CHANGED: _("%(who)s changed their address"),
    Event.Kind.EMAIL_RESTORED: _("%(who)s took their former address back"),
    Event.Kind.NOTICES_OFF: _("%(who)s turned off emails about new devices"),
    Event.Kind.RIGHTS_CHANGED: _("The rights of %(who)s were changed"),
    Event.Kind.POWER_USED: _("%(who)s changed something at the desk"),
    Event.Kind.TURNED_OFF: _("The account of %(who)s was turned off"),
    Event.Kind.TURNED_ON: _("The account of %(who)s was turned on"),
    Event.Kind.RESET_MAILED: _("A link for a new password was mailed to %(who)s"),
    Event.Kind.INVITES_PAUSED: _("The invitations of %(who)s were paused"),
    Event.Kind.INVITES_ALLOWED: _("The invitations of %(who)s were allowed again"),
    Event.Kind.DISOWNED: _("%(who)s reported: this was not me"),
    Event.Kind.GOOGLE_CONNECTED: _("%(who)s connected Google"),
    Event.Kind.GOOGLE_DISCONNECTED: _("%(who)s disconnected Google"),
    Event.Kind.SECOND_FACTOR_ON: _("%(who)s turned on two‑step verification"),
    Event.Kind.SECOND_FACTOR_OFF: _("%(who)s turned off two‑step verification"),
    Event.Kind.RECOVERY_CODES: _("%(who)s made new recovery codes"),
    Event.Kind.RECOVERY_CODE_USED: _("%(who)s used a recovery code"),
    Event.Kind.CODE_FAILED: _("Somebody typed a wrong code for %(who)s"),
    Event.Kind.EXPORTED: _("%(who)s downloaded their data"),
    Event.Kind.APP_AGREED: _("%(who)s let %(app)s learn who they are"),
    Event.Kind.APP_SIGNED_IN: _("%(who)s signed in to %(app)s"),
    Event.Kind.APP_ASKED: _("%(who)s asked for access to %(app)s"),
    Event.Kind.APP_DECLINED: _("Access to %(app)s was declined to %(who)s"),
    Event.Kind.APP_DISCONNECTED: _("%(who)s disconnected %(app)s"),
    Event.Kind.LEAVING: _("%(who)s is leaving: the account is to be deleted"),
    Event.Kind.CAME_BACK: _("%(who)s kept the account"),
    Event.Kind.DELETED: _("An account was deleted"),
    Event.Kind.INVITED: _("%(who)s invited %(invited)s"),
    Event.Kind.RESENT: _("%(who)s sent the invitation to %(invited)s again"),
    Event.Kind.EXTENDED: _("%(who)s extended the invitation to %(invited)s"),
    Event.Kind.REVOKED: _("%(who)s withdrew the invitation to %(invited)s"),
    Event.Kind.REMINDED: _("%(who)s reminded %(invited)s of the invitation"),
    Event.Kind.STOPPED: _("%(who)s stopped a mail to %(invited)s before it left"),
    Event.Kind.TAKEN_OVER: _("%(who)s took over the invitation to %(invited)s"),
    Event.Kind.JOIN_DECLINED: _("%(who)s declined a request to join"),
    Event.Kind.ACCEPTED: _("%(who)s accepted an invitation"),
    Event.Kind.DECLINED: _("%(who)s declined the invitation"),
}
BY_STAFF = {
    Event.Kind.CREATED: _("%(staff)s made an account for %(who)s"),
    Event.Kind.SIGNED_OUT: _("%(staff)s ended all sessions of %(who)s"),
    Event.Kind.SESSION_ENDED: _("%(staff)s ended a session of %(who)s: %(device)s"),
    Event.Kind.PASSWORD_CHANGED: _("%(staff)s set a new password for %(who)s"),
    Event.Kind.USERNAME_CHANGED: _("%(staff)s changed the username of %(who)s from %(before)s"),
    Event.Kind.NAME_CHANGED: _("%(staff)s changed the name of %(who)s"),
    Event.Kind.PROFILE_CHANGED: _("%(staff)s changed the details of %(who)s"),
    Event.Kind.EMAIL_CHANGED: _("%(staff)s changed the address of %(who)s"),
    Event.Kind.RIGHTS_CHANGED: _("%(staff)s changed the rights of %(who)s"),
    Event.Kind.TURNED_OFF: _("%(staff)s turned off the account of %(who)s"),
    Event.Kind.TURNED_ON: _("%(staff)s turned on the account of %(who)s"),
    Event.Kind.RESET_MAILED: _("%(staff)s mailed %(who)s a link for a new password"),
    Event.Kind.INVITES_PAUSED: _("%(staff)s paused the invitations of %(who)s"),
    Event.Kind.INVITES_ALLOWED: _("%(staff)s allowed the invitations of %(who)s again"),
    Event.Kind.SECOND_FACTOR_OFF: _("%(staff)s turned off two‑step verification of %(who)s"),
    Event.Kind.APP_DECLINED: _("%(staff)s declined access to %(app)s to %(who)s"),
    Event.Kind.EXPORTED: _("%(staff)s exported the data of %(who)s"),
    Event.Kind.CAME_BACK: _("%(staff)s kept the account of %(who)s"),
}
# What a command has done, or somebody without an account, or one that is deleted.
BY_NOBODY = {
    Event.Kind.INVITED: _("%(invited)s was invited"),
    Event.Kind.RESENT: _("The invitation to %(invited)s was sent again"),
    Event.Kind.EXTENDED: _("The invitation to %(invited)s was extended"),
    Event.Kind.REVOKED: _("The invitation to %(invited)s was withdrawn"),
    Event.Kind.REMINDED: _("%(invited)s was reminded of the invitation"),
    Event.Kind.STOPPED: _("A mail to %(invited)s was stopped before it left"),
    Event.Kind.TAKEN_OVER: _("The invitation to %(invited)s was taken over"),
    Event.Kind.JOIN_DECLINED: _("A request to join was declined"),
    Event.Kind.DECLINED: _("%(invited)s declined the invitation"),
}
INTO_GROUPS = _("%(who)s invited %(invited)s to %(groups)s"), _("%(invited)s was invited to %(groups)s")
TO_APP = _("%(who)s invited %(invited)s to %(app)s"), _("%(invited)s was invited to %(app)s")
ACCEPTED_FROM = _("%(who)s accepted the invitation of %(inviter)s")
DECLINED_FROM = _("%(invited)s declined the invitation of %(inviter)s")
FAILED_FOR_NOBODY = _("Somebody typed a wrong password for a name that no account has")
SIGNED_IN_BY = {
    "password": _("%(who)s signed in with a password"),
    "link": _("%(who)s signed in by an emailed link"),
    "google": _("%(who)s signed in with Google"),
}
RIGHTS = {
    ("is_staff", True): _("%(staff)s made %(who)s staff"),
    ("is_staff", False): _("%(staff)s took the rights of staff from %(who)s"),
    ("is_superuser", True): _("%(staff)s made %(who)s a superuser"),
    ("is_superuser", False): _("%(staff)s took the rights of a superuser from %(who)s"),
}
JOINED, JOINED_BY = _("%(who)s joined %(groups)s"), _("%(who)s joined %(groups)s, invited by %(inviter)s")
ADDED_TO, REMOVED_FROM = _("%(staff)s added %(who)s to %(groups)s"), _("%(staff)s removed %(who)s from %(groups)s")
ON_PEOPLE = {
    "added": _("%(who)s added the account of %(people)s"),
    "changed": _("%(who)s changed the account of %(people)s"),
    "deleted": _("%(who)s deleted the account of %(people)s"),
}
ON_THINGS = {
    "added": _("%(who)s added at the desk: %(what)s"),
    "changed": _("%(who)s changed at the desk: %(what)s"),
    "deleted": _("%(who)s deleted at the desk: %(what)s"),
}


def read_names(events: Iterable[Event]) -> None:
    """Reads what the sentences of these events must know of other rows, into `event.names`.

    Takes three statements at most, however many events they are; their `user` must have been read with them.
    """
    listed = list(events)
    about = {event.about for event in listed if event.about}
    invitations = {key: found for find in FINDERS if about for key, found in find(about).items()}
    wanted = {event.pk: ids for event in listed if (ids := people_of(event))}
    firsts = {one for ids in wanted.values() for one in ids[:NAMED]}
    usernames = dict(User.objects.filter(pk__in=firsts).values_list("pk", "username")) if firsts else {}
    for event in listed:
        ids = wanted.get(event.pk, [])
        people = [usernames.get(one, str(GONE)) for one in ids[:NAMED]]
        found = invitations.get(event.about, Invitation()) if event.about else Invitation()
        event.names = Names(found, people, len(ids) - len(people))


def people_of(event: Event) -> list[UUID]:
    """Returns the ids of the people to whom staff have done something, if the event is of that kind."""
    return [UUID(one) for one in str(event.detail.get("whom", "")).split(", ") if one]


def sentence(event: Event) -> str:
    """Returns what happened in one sentence of the active language: "maria invited kim@work.example".

    It has no full stop, and nothing in it is escaped. read_names() reads what it needs for many events; without that,
    this reads it for one.
    """
    if event.names is None:
        read_names([event])
    values = words_of(event)
    if event.kind == Event.Kind.RIGHTS_CHANGED and (changes := rights(event, values)):
        return "; ".join(changes)
    return str(wording(event)) % values


def is_of_account(event: Event) -> bool:
    """Returns whether the event belongs to an account, perhaps a deleted one.

    Commands act on invitations without one, and anybody can type names that no account has.
    """
    if event.user is not None:
        return True
    if event.kind == Event.Kind.FAILED:
        return event.ip is None  # a deleted account leaves no IP address behind
    return event.kind not in BY_NOBODY and not is_of_command(event)


def is_of_command(event: Event) -> bool:
    """Returns whether the event is the trace of a command that used power, which is in nobody's history."""
    return event.user is None and event.kind == Event.Kind.POWER_USED and event.detail.get("by") == "command"


def words_of(event: Event) -> dict[str, str]:
    """Returns what may stand in the blanks of a sentence about the event."""
    names, detail = event.names, event.detail
    more = (
        ngettext("and %(count)s more", "and %(count)s more", names.more) % {"count": names.more} if names.more else ""
    )
    return {
        "who": who(event),
        "staff": str(detail.get("staff") or (_("a command") if detail.get("by") == "command" else _("staff"))),
        "invited": names.invitation.email or str(_("an address that is kept no more")),
        "inviter": names.invitation.inviter,
        "groups": ", ".join(names.invitation.groups),
        "people": " ".join(filter(None, [", ".join(names.people), more])),
        "what": str(detail.get("what", "")),
        "app": str(detail.get("app") or names.invitation.app or _("an app")),
        "before": str(detail.get("before") or "–"),
        "device": device_in_words(str(detail.get("ended", ""))) or str(_("an unknown device")),
    }


def who(event: Event) -> str:
    """Returns the name of the account that the event belongs to, or what stands in its place."""
    if event.user:
        return event.user.username
    return str(_("a command") if is_of_command(event) else GONE)


def wording(event: Event) -> Any:
    """Returns the sentence that fits the event, with its blanks."""
    kind = Event.Kind(event.kind)
    by_nobody = BY_NOBODY.get(kind) if event.user is None else None
    by_staff = BY_STAFF.get(kind) if event.detail.get("by") in {"staff", "command"} else None
    special = SPECIAL[kind](event) if kind in SPECIAL else None
    return special or by_nobody or by_staff or SENTENCES[kind]


def invited_to(event: Event) -> Any:
    """Returns the sentence on an invitation to an app or, without one, into groups; None for any other invitation."""
    if event.names.invitation.app:
        return TO_APP[event.user is None]
    return INTO_GROUPS[event.user is None] if event.names.invitation.groups else None


# What an event of a kind says in another sentence than those above, or None.
SPECIAL: dict[Event.Kind, Callable[[Event], Any]] = {
    Event.Kind.POWER_USED: lambda event: (ON_PEOPLE if "whom" in event.detail else ON_THINGS).get(
        event.detail.get("done", "")
    ),
    Event.Kind.FAILED: lambda event: None if is_of_account(event) else FAILED_FOR_NOBODY,
    Event.Kind.SIGNED_IN: lambda event: SIGNED_IN_BY.get(event.detail.get("way", "")),
    Event.Kind.INVITED: invited_to,
    Event.Kind.ACCEPTED: lambda event: ACCEPTED_FROM if event.names.invitation.inviter else None,
    Event.Kind.DECLINED: lambda event: DECLINED_FROM if event.names.invitation.inviter else None,
}


def rights(event: Event, values: dict[str, str]) -> list[str]:
    """Returns a sentence for each right that the event says was given or taken, or for the groups that were joined."""
    if joined := joined_groups(event):
        inviter = str(event.detail.get("staff", ""))
        words = JOINED_BY if inviter else JOINED
        return [str(words) % (values | {"groups": ", ".join(joined), "inviter": inviter})]
    changed = dict(event.detail.get("changed", {}))
    before, after = changed.pop("groups", ([], []))
    said = [str(RIGHTS[name, pair[1]]) % values for name, pair in changed.items() if (name, pair[1]) in RIGHTS]
    for words, groups in ((ADDED_TO, set(after) - set(before)), (REMOVED_FROM, set(before) - set(after))):
        if groups:
            said.append(str(words) % (values | {"groups": ", ".join(sorted(groups))}))
    return said


def joined_groups(event: Event) -> list[str]:
    """Returns the names of the groups that the person joined with this event; else [].

    They joined by accepting an invitation, or by the domain of their address.
    """
    by_domain = event.detail.get("by") == "domain"
    if event.kind != Event.Kind.RIGHTS_CHANGED or (event.about is None and not by_domain):
        return []
    before, after = event.detail.get("changed", {}).get("groups", ([], []))
    return sorted(set(after) - set(before))
