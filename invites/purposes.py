"""What a mailed link may open."""

from kit.tokens import Purpose

# The salts name the room that tokens were first for, as links with them are in people's mailboxes.
SIGNUP = Purpose("frontdoor.invites.signup", "account_signup")
CONFIRM = Purpose("frontdoor.invites.confirm", "invite_confirm")
RESET = Purpose("frontdoor.invites.reset", "account_reset_password_from_key")
OWNER = Purpose("frontdoor.invites.owner", "owner")
READDRESS = Purpose("frontdoor.invites.readdress", "invite_readdress")  # for who sent it
DECLINE = Purpose("frontdoor.invites.decline", "invite_decline")
