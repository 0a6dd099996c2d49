"""Whose a pull request is: what people say and do that means hands off. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from cw.forges.watched import Look

# Another agent of claude's owns what carries one (claude 2.1.332, /steward and /ship).
_FOREIGN_LABELS = ("claude-pr-steward-", "claude-ship-")
_LABEL, _ASSIGNED = _STANDING = ("label:", "assigned:")
_UNREAD = re.compile(
    r"<!--.*?(?:-->|\Z)|^[ \t]*(?P<fence>```|~~~).*?(?:^[ \t]*(?P=fence)|\Z)|^[ \t]*>[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_SENTENCE = re.compile(r"[.!?;,:\n]+|\s+[-\u2013\u2014]+\s+")
_STOP = re.compile(
    r"(?:@[\w-]+(?:\[bot\])?\s+)?(?:please\s+|ok(?:ay)?\s+)*(?:"
    r"stop(?:\s+(?:it|this|here|now|working(?:\s+on\s+(?:it|this))?))?(?:\s+please)?"
    r"|hold\s+off|hands\s+off|back\s+off"
    r"|(?:i\s*will|i'?ll|i)\s+take\s+(?:it|this|over)(?:\s+(?:from\s+here|over|now))*"
    r"|(?:i\s*am|i'?m)\s+(?:handling|taking|on|working\s+on)\s+(?:it|this)(?:\s+(?:now|over))?"
    r")",
    re.IGNORECASE,
)
_OPTIONAL = re.compile(r"\W*(?:\(?(?:nit(?:pick)?|optional)s?\)?)\b", re.IGNORECASE)


def says_stop(body: str) -> bool:
    """In words of its own, as a whole sentence: not in quotes, code or hidden text."""
    sentences = _SENTENCE.split(_UNREAD.sub("", body.replace("\r\n", "\n").replace("\u2019", "'")))
    return any(_STOP.fullmatch(sentence.strip(" \t*_`")) for sentence in sentences)


def is_optional(body: str) -> bool:
    """Of a remark in a review: a nit starts nothing."""
    return bool(_OPTIONAL.match(body))


def whose(look: Look, stops: Mapping[str, str], released: Collection[str]) -> dict[str, str]:
    """By id, in words: what of it means hands off now. `stops`: what was said or done once.
    `released`: ids that a person has let go.
    """
    found = {**stops, **dict(_as_it_stands(look))}
    return {key: words for key, words in found.items() if key not in released}


def still_released(look: Look, released: Collection[str]) -> tuple[str, ...]:
    """A label that comes back, or another assignment, counts again."""
    standing = dict(_as_it_stands(look))
    return tuple(key for key in released if not key.startswith(_STANDING) or key in standing)


def _as_it_stands(look: Look) -> Iterator[tuple[str, str]]:
    """What counts as long as it is there."""
    for label in look.labels:
        if label.lower().startswith(_FOREIGN_LABELS):
            yield f"{_LABEL}{label.lower()}", f"it carries {label}"
    for login in look.assignees:
        if login.lower() != look.author.lower():  # repositories assign its author by themselves
            yield f"{_ASSIGNED}{login.lower()}", f"it is assigned to {login}"
