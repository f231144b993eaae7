"""Which answers of mail servers say that an address is dead: that no mail will ever reach it, from us or anybody else.

A wrong yes shuts somebody out of their account, and a wrong no costs one more mail that comes back. So whatever else an
answer complains of is believed first: our network, the sender, the contents, a full mailbox, a lack of time.
"""

import re

from outbox.mail.replies import find_status, is_temporary

LONGEST = 2000  # characters of an answer that are looked at

# Bad mailbox (5.1.1), bad domain (5.1.2), bad syntax (5.1.3), moved (5.1.6), and null MX (5.1.10); RFC 3463, RFC 7505.
DEAD = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}
# Not about the address, whatever the words are: full, too big, its system, routing loops, the contents, policy.
ABOUT_ELSE = re.compile(r"4\.\d+\.\d+|5\.(?:1\.[78]|2\.[234]|3\.[1-9]\d*|4\.6|6\.\d+|7\.\d+)", re.ASCII)

ADDRESS = re.compile(r"[^\s<>]{1,64}@[^\s<>]+")  # whose words say nothing: spam@example.com

ELSE = re.compile(
    r"""\bfrom:(?!\w) | \b(?:
    spam | (?:un)?solicited | junk | ube | virus(?:es)? | malware | phish\w* | suspicious | attachments? | contents?
    | headers? | filter(?:ed|ing|s)? | (?:black|block|deny|grey|gray)[-\ ]?list\w* | block(?:ed|ing)? | banned
    | (?:dns|r|u|s)bl | spamhaus | spamcop | abus\w* | complain\w* | violat\w* | protocol | rfc | duplicate
    | throttl\w* | volume
    | (?:deni|deny|refus|forbid|prohibit|restrict|reputation|polic|authenticat|authori[sz]|permi[ts])\w*
    | not\ (?:allowed|accept\w*\ (?:from|connections|network)) | un(?:authori[sz]ed|authenticated)
    | dmarc | dkim | spf | rdns | ptr | reverse | helo | ehlo | (?:start)?tls | relay\w* | sender\w* | mail\ from
    | your\ (?:e?-?mail\ )?(?:host\w*|server|network|domain|provider) | ips? | clients?
    | quotas? | out\ of\ memory | disk\w* | storage | space | (?:mailbox|over)?full | maxim\w* | reached
    | (?:too|very)\ (?:large|big|many|much|long|busy) | sizes? | rates? | limit\w* | exceed\w* | frequen\w* | quick\w*
    | connect\w* | temporar\w* | try\ (?:again|back) | later | retr(?:y|ies) | expired | time(?:d|s)?[-\ ]?out
    | delay\w* | defer\w* | loop\w* | hops? | busy | suspended | inactive | locked | frozen | unreachable
    | internal | configur\w* | ldap | database
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)

_WHO = (
    r"(?:user\ ?(?:id|name)?|recipients?|mail\ ?box|e?-?mail\ ?addr(?:ess)?|address(?:es|ee)?|account|alias"
    r"|local[-\ ]part|person|customer|subscriber|mail\ ?folder|inbox|receiver)"
)
_WHERE = (
    r"(?:(?:mail\ |e-?mail\ )?(?:domain|host|server|system)(?:\ ?names?)?|mx(?:\ records?|\ hosts?)?|mail\ exchangers?)"
)
_NONE = (
    r"(?:unknown|unrecogni[sz]ed|no\ such|no\ valid|not\ a\ (?:known|valid|registered)|non-?exist[ae]nt|nonexisting"
    r"|in-?valid(?:\ or\ unknown)?|undefined|unrout[e]?able|(?:unknown|invalid)\ or\ illegal|illegal|bad\ destination)"
)
_IS_NOT = (
    r"(?:\b(?:unknown|no\ longer|moved|invalid|non-?existent|unroutable|undeliverable|disabled|deactivated|deleted"
    r"|closed|terminated|removed|discontinued)"
    r"|(?:\b(?:can)?not|\w{2,6}n['’]t|\bnever)\ (?:be\ )?(?:found|exist(?:ing)?|known|listed|registered|recogni[sz]ed"
    r"|valid|a\ (?:known|valid|registered)|in\ use|here|local|have\ an?))"
)
WORDS = re.compile(
    rf"""\b{_NONE}(?:\ [\w'-]{{1,20}}){{0,2}}\ (?:{_WHO}|{_WHERE})\b
    | \b(?:{_WHO}|{_WHERE})\b.{{0,90}}?{_IS_NOT}\b
    | \bno\ (?:such\ )?{_WHO}\b.{{0,10}}?\b(?:here|by|with|found|exists?|named)\b
    | \bno\ (?:mx|mail)(?:\ or\ \w+)?\ (?:records?|hosts?|exchangers?)\b | \bnull\ ?mx\b | \bnxdomain\b
    | \b(?:could\ ?n['o]t|cannot|can't|unable\ to)\ find\b.{{0,20}}\b(?:{_WHO}|{_WHERE})\b
    | \bname\ or\ service\ not\ known\b | \bdoes\ (?:n't|not)\ accept\ any\ mail\b
    | \bnon-?existent\ hosts?\b | \bnot\ a\ registered\b | \bunrout[e]?able\b""",
    re.IGNORECASE | re.VERBOSE,
)


def says_dead(answer: str, status: str = "") -> bool:
    """Returns whether a server's answer such as "550 5.1.1 No such user" says that no mail will ever reach the address.

    `status` is what a report says beside the answer (RFC 3464 §2.3.4). A temporary one is believed, a final one only
    without an answer: many servers make 5.1.1 of any refusal. Without a clear code the words must say it.
    """
    said = " ".join(ADDRESS.sub("", answer[:LONGEST]).split())
    if not said:
        return status in DEAD
    if status.startswith("4.") or is_temporary(said) or ELSE.search(said):
        return False
    code = find_status(said)
    return not ABOUT_ELSE.fullmatch(code) and (code in DEAD or bool(WORDS.search(said)))
