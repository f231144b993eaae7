"""The words of mail servers that write no fields: which say that a mail will not arrive, and which that it is late."""

import re

from outbox.mail import replies

LONGEST_ANSWER = 600  # characters that are taken of the words about one recipient

LATE = re.compile(
    r"""\b(?:
    warning\ message\ only | (?:be|is|was|been|message\ \S{1,80})\ delayed | delayed\ mail
    | not\ yet\ (?:been\ )?delivered | (?:will|still)\ be(?:ing)?\ retried
    | will\ (?:keep|continue)\ (?:on\ )?(?:trying|to\ try) | attempts\ will\ continue
    | do\ not\ need\ to\ re-?send | temporary\ failure\ report | is\ kept\ in\ the\ queue
    | could\ not\ send\ (?:the\ )?(?:message|mail)\ for\ (?:the\ )?past
    )\b | \(delay(?:ed)?\)""",
    re.IGNORECASE | re.VERBOSE,
)

_NOT = r"(?:not|n['’o]t|unable\ to|failed\ to|impossible\ to|never)"
_SOME = r"(?:\w{1,12}\ )"  # a word between two others
FAILURE = re.compile(
    rf"""(?:
    {replies.REFUSING} | \b5\.\d{{1,3}}\.\d{{1,3}}\b
    | \bundeliver(?:able|ed)\b | \bnon-?deliver(?:y|able|ed)\b | \breturned\ (?:mail|to\ sender)\b
    | \b(?:delivery|sending|mail|message|final)\ {_SOME}{{0,3}}(?:fail(?:ed|ure|s)?|errors?|problems?|impossible)\b
    | \bfail(?:ed|ure)\ (?:in\ |of\ )?(?:notice|delivery|permanently|to\ (?:deliver|send)|reasons?)\b
    | \b(?:permanent|fatal|unrecoverable)\ {_SOME}?(?:errors?|failure)\b
    | \b(?:errors?|trouble|problems?)\ {_SOME}{{0,6}}(?:deliver|send)(?:ing)?\b
    | \b{_NOT}\ (?:be\ |been\ |have\ been\ |able\ to\ |possible\ to\ )?
      (?:deliver(?:ed)?|sent|send|transmit(?:ted)?|relay(?:ed)?)\b
    | \b(?:deliver(?:ed|y)?|sent|reach(?:ed)?)\b.{{0,40}}\bfail(?:ed|ure)\b | \b(?:was|were|been)\ rejected\b
    | \baddress(?:es|\(es\))?\ failed\b | \bdid\ not\ (?:reach|receive)\b | \bgiv(?:en|ing)\ up\b
    | \bno\ valid\ recipients?\b
    | \bmail\ ?box\ (?:is\ )?full\b | \bexceeds\ {_SOME}?size\b
    | не\ может\ быть\ доставлен | не\ (?:было\ |была\ )?доставлен | недоставлен | не\ удалось\ (?:доставить|отправить)
    | nicht\ (?:zugestellt|zustell|ausgeliefert) | unzustellbar
    | pas\ (?:pu\ )?(?:être\ |etre\ )?(?:remis|délivré|distribué|envoyé) | non\ remis
    | no\ (?:se\ )?(?:pudo|ha\ podido|puede)\ (?:ser\ )?entreg | no\ entregad
    | non\ (?:è\ stato\ |recapitabil|consegnat) | impossibile\ (?:recapitare|consegnare)
    | não\ (?:foi|pôde|pode)\ (?:ser\ )?(?:entregue|possível\ entregar) | não\ entregue
    | niet\ (?:worden\ )?(?:bezorgd|afgeleverd) | onbestelbaar
    | nie\ (?:została|mogła|można)\ (?:być\ )?(?:dostarcz|doręcz)
    | (?:送信|配信|配達|お届け)でき(?:ません|なかった) | 无法(?:投递|送达|传递) | 無法(?:投遞|傳送|傳遞) | 退信 | 未送达
    )""",
    re.IGNORECASE | re.VERBOSE,
)

FULL = re.compile(
    r"\b(?:over ?quota|quota exceeded|(?:mail ?box|inbox|folder) (?:is )?full|disk space)\b", re.IGNORECASE
)
STARTS = re.compile(r"[\s<\"']{0,40}([^\s<>\"']{1,64}@[^\s<>\"']+)")


def about(recipient: str, text: str) -> str:
    """Returns what a text says about one recipient, in one line; "" if it does not name the recipient.

    That is from the line with the address to the line that begins with another one, at most LONGEST_ANSWER characters.
    """
    found = re.search(rf"(?<![\w.+-]){re.escape(recipient)}(?![\w-]|\.\w)", text, re.IGNORECASE)
    if not found or not recipient:
        return ""
    first, *rest = text[text.rfind("\n", 0, found.start()) + 1 :][:LONGEST_ANSWER].split("\n")
    lines = [first]
    for line in rest:
        other = STARTS.match(line)
        if other and recipient.lower() not in other[1].lower():
            break
        lines.append(line)
    return " ".join(" ".join(lines).split())


def with_reply(said: str) -> str:
    """Returns what a server said if there is a reply of another server in it, or else ""."""
    return said if replies.refuses(said) else ""


def best_line(text: str) -> str:
    """Returns the line of a text that tells most of a failure: one with a reply, or else with words of failure."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    told = [line for line in lines if replies.refuses(line)] or [line for line in lines if FAILURE.search(line)]
    return replies.from_refusal(told[0])[:LONGEST_ANSWER] if told else ""
