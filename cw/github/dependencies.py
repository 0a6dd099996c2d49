"""What an issue's text says it waits for: `Blocked by #12`, `Depends on owner/repo#3`."""

from __future__ import annotations

import re

_WHERE = r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+"
_NUMBER = r"[1-9][0-9]{0,9}\b"
_REF = rf"(?:(?:{_WHERE})?#|https?://[^\s/]+/{_WHERE}/(?:issues|pull)/){_NUMBER}"
_POINT = r"[-*+][ \t]+(?:\[[ xX]\][ \t]+)?"  # of a list, with or without a box
_NEXT = rf"(?:\s*(?:,|&|\band\b)\s*|\s*\n[ \t]*{_POINT})+"
_SAYS = re.compile(
    rf"\b(?:blocked by|depends on|depending on|waits for|waiting for)\b:?\s*(?:{_POINT})?"
    rf"(?P<list>{_REF}(?:{_NEXT}{_REF})*)",
    re.IGNORECASE,
)
_ONE = re.compile(
    rf"(?:(?P<repo>{_WHERE})?#|https?://[^\s/]+/(?P<url>{_WHERE})/(?:issues|pull)/)"
    rf"(?P<number>{_NUMBER})"
)
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|^(?P<fence>```|~~~).*?(?:^(?P=fence)|\Z)", re.DOTALL | re.MULTILINE
)
_MOST = 20  # what names more is an epic, and each may cost a request


def dependencies(body: str, repo: str) -> tuple[str, ...]:
    """`owner/repo#n` in lower case, as named outside of code blocks and comments."""
    found: dict[str, None] = {}
    for saying in _SAYS.finditer(_UNSEEN.sub("", body)):
        for issue in _ONE.finditer(saying["list"]):
            found[f"{issue['repo'] or issue['url'] or repo}#{issue['number']}".lower()] = None
    return tuple(found)[:_MOST]
