"""Makes an account for an address that Google, or a mailed link that the visitor came from, has proven."""

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts import profile_fields
from accounts.google import client as google
from accounts.models import User
from accounts.session import sessions
from invites.models import Invite, MagicLink, NotInvited, Unavailable, lets_in
from kit import visitor
from kit.ids import uuid7
from kit.one_statement import Write


def new_account(request: HttpRequest, identity: google.Identity, link: MagicLink | None) -> tuple[User, Invite | None]:
    """Makes an account for a verified identity. Returns it, and the invitation it has accepted or None.

    Signs nobody in. The invitation of `link`, by which the visitor came, goes before that of staff. What it says of the
    person is in the account. If Google is no authority for the address, the link proves the address, and is used up.
    The username is the free one nearest to the address. What somebody planned for the address on the sign-up form is
    ignored. Raises NotInvited where an invitation is needed, Unavailable when it was answered, or the link was used,
    just now, and IntegrityError or ConnectedElsewhere when the address, or the Google account, has an account by now;
    ValidationError if no username near the address is free.
    """
    email, trace, newcomer = identity.email, visitor.trace(request), User(pk=uuid7())
    with transaction.atomic():
        invite = Invite.objects.to_accept(email, (link.invite_id or link.staff_invite_id) if link else None)
        if not lets_in(invite, email):
            raise NotInvited
        proof = [] if identity.is_authority else [proving(email, link, newcomer)]
        known = profile_fields.fitting(invite.profile) if invite else {}
        chosen = {"language": get_language(), **profile_fields.settings_of(known)}
        name = User.objects.free_name(email)
        account = {"username": name, "email": email, "settings": chosen}
        user = Invite.objects.admit(newcomer, invite, {"way": sessions.SIGNUP, **trace}, *proof, **account)
        if identity.is_authority:
            user.google.adopt(identity.uid, email)
        else:  # the address may have another owner by now, who must be told
            user.google.connect(identity.uid, email, **trace)
    return user, invite


def proving(email: str, link: MagicLink | None, newcomer: User) -> Write:
    """Returns the statement that uses up `link` as the proof that `newcomer` has the address `email`.

    Raises Unavailable without a link to that address.
    """
    if link is None or link.email != email:
        raise Unavailable
    return link.claiming("", newcomer)
