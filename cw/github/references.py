"""What GitHub makes a link of, a notification or an event, wherever it stands in a text.

Named after GitHub's pages "Autolinked references and URLs", "Linking a pull request to an issue"
and "Basic writing and formatting syntax" (mentions). In code spans and blocks none of it is one.
"""

from __future__ import annotations

import re

_NAME = r"[A-Za-z0-9][\w.-]{0,99}"
URL = r"(?:https?://|www\.)[^\s<>`]+"
_SPECIAL = re.compile(
    rf"(?P<url>{URL})"
    r"|(?P<mail>(?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9][\w-]*\.[\w.-]*\w)"
    r"|(?P<mention>@[A-Za-z0-9][\w-]*(?:/[\w.-]*\w)?)"
    rf"|(?P<number>(?:(?<![\w.-]){_NAME}(?:/{_NAME})?)?\#\d+|(?<![A-Za-z])GH-\d+)"
    rf"|(?P<commit>(?:(?<![\w.-]){_NAME}(?:/{_NAME})?@)?\b(?=[0-9a-f]*\d)[0-9a-f]{{7,40}}\b)",
    re.IGNORECASE,
)
_THREAD = re.compile(r"/[^/\s]+/[^/\s]+/(?:issues|pulls?|discussions|commits?|compare)(?:/|\b)")
_HEARD = re.compile(rf"{_THREAD.pattern}|GH-\d", re.IGNORECASE)
_SAID = r"(?<![A-Za-z_])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b"
_CLOSING = re.compile(
    rf"({_SAID}[\s:]*)((?:{_NAME}/{_NAME})?\#\d+|GH-\d+|https?://\S{{1,300}}/(?:issues|pull)/\d+)",
    re.IGNORECASE,
)


def pieces(text: str) -> list[tuple[str, str]]:
    """In order: kind and words. Kinds: `text`, `url` (a link that tells nobody), `name` (what would
    be noticed elsewhere).
    """
    found: list[tuple[str, str]] = []
    at = 0
    for match in _SPECIAL.finditer(text):
        words = match[0].rstrip(".,;:!?)'\"*_~]}") if match["url"] else match[0]
        kind = "url" if match["url"] and is_harmless(words) else "text" if match["mail"] else "name"
        found += [("text", text[at : match.start()]), (kind, words)]
        at = match.start() + len(words)
    return [piece for piece in (*found, ("text", text[at:])) if piece[1]]


def is_harmless(target: str) -> bool:
    """Whether a link there shows where it leads, and nothing at GitHub hears of it."""
    plain = target.isascii() and target.isprintable() and not set(target) & set(" <>`\\@#")
    return (
        plain and target.lower().startswith(("http://", "https://")) and not _HEARD.search(target)
    )


def without_closing(code: str) -> str:
    """Code that is made a commit's message with the rest closes nothing there either."""
    return _CLOSING.sub(r"\1(\2)", code)


def spelled_out(line: str) -> str:
    """A line without Markdown in which nothing is a reference any more."""
    bare = re.sub(r"https?://|www\.", "", line, flags=re.IGNORECASE)
    bare = re.sub(r"(/(?:issues|pulls?|discussions))/(?=\d)", r"\1 ", bare)
    bare = re.sub(r"(?<![A-Za-z])(GH)-(?=\d)", r"\1 ", bare, flags=re.IGNORECASE)
    return re.sub(r"#(?=\d)|(?<![A-Za-z0-9_])@(?=\w)", r"\g<0> ", bare)
