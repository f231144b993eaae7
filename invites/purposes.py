"""The purposes of mailed tokens: the salt that ties a token to its purpose, and the page that it opens."""

from kit.tokens import Purpose

# The salts stay, whatever becomes of the room they name: links signed with them are in people's mailboxes.
SIGNUP = Purpose("frontdoor.invites.signup", "account_signup")
CONFIRM = Purpose("frontdoor.invites.confirm", "invite_confirm")
RESET = Purpose("frontdoor.invites.reset", "account_reset_password_from_key")
OWNER = Purpose("frontdoor.invites.owner", "owner")
READDRESS = Purpose("frontdoor.invites.readdress", "invite_readdress")  # the sender's answer
REQUEST = Purpose("frontdoor.invites.request", "ask_confirm")  # proves the address of who asks to join
DECLINE = Purpose("frontdoor.invites.decline", "invite_decline")
# For the header List-Unsubscribe (RFC 8058). Mail servers log headers and quote them in complaints, where the links of
# the mail itself do not go: so its token opens nothing else, least of all a way in.
ONE_CLICK = Purpose("frontdoor.invites.one-click", "invite_one_click")
