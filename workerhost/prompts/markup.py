"""HTML as a browser reads it: which of its texts are drawn.

Read by justhtml, which follows the HTML standard's own algorithm: tokenizer, tree builder, errors.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from workerhost.prompts.bounds import readable
from workerhost.prompts.styles import unseen

# GFM shows the tags of these as text ("Disallowed Raw HTML"), and a browser takes what they hold
# for no markup. What only one of the two would draw is left out.
RAW = frozenset(
    {
        *("script", "style", "title", "textarea", "xmp", "iframe"),
        *("noembed", "noframes", "plaintext"),
    }
)
_NEVER = RAW | {  # elements whose content no browser shows, only an old one, or not GitHub's pages
    *("rp", "template", "noscript", "video", "audio", "object", "applet", "canvas", "datalist"),
    *("dialog", "progress", "meter", "head", "svg", "math"),
}


class Marks:
    """Texts that stand for places in a document. Nobody who wrote in it can know them."""

    def __init__(self) -> None:
        self._word = f"\x01{secrets.token_hex(8)}:"
        self._pattern = re.compile(re.escape(self._word) + r"(\d+)\x01")

    def mark(self, number: int) -> str:
        return f"{self._word}{number}\x01"

    def split(self, text: str) -> Iterator[int | str]:
        """Numbers of marks, and what stands between them."""
        for at, part in enumerate(self._pattern.split(text)):
            if at % 2:
                yield int(part)
            elif part:
                yield part


@dataclass(slots=True)
class Drawn:
    """`marks`: those that are drawn. `texts`: what is drawn after a mark and before the next one.
    `doubtful`: what follows may be read in another way too, or is too much; it was not read.
    """

    marks: set[int] = field(default_factory=set)
    texts: dict[int, str] = field(default_factory=dict)
    doubtful: bool = False


def drawn(html: str, marks: Marks) -> Drawn:
    html, whole = readable(html)
    found = Drawn(doubtful=not whole)
    place = -1
    for text, seen in _texts(_parsed(html)):
        if text is None:
            found.doubtful = True
            break
        for part in marks.split(text):
            if isinstance(part, int):
                place = part
                if seen:
                    found.marks.add(place)
            elif seen:
                found.texts[place] = found.texts.get(place, "") + part
    return found


def _parsed(html: str) -> Iterable[Any]:
    from justhtml import JustHTML  # 2.4 MB that an idle host does without

    document = JustHTML(html, fragment=True, sanitize=False, scripting_enabled=False)
    return document.root.children or ()


def _texts(nodes: Iterable[Any], *, inner: bool = False) -> Iterator[tuple[str | None, bool]]:
    """Of the tree in its order, and whether they are drawn; None where it cannot be relied on."""
    waiting = [(node, True) for node in reversed(list(nodes))]
    while waiting:
        node, seen = waiting.pop()
        if node.name == "#text":
            yield str(node.data), seen
        elif node.name in RAW and (inner or not _ends_as_text(node)):
            yield None, False
        else:
            attributes = node.attrs or {}
            seen = seen and not _hides(node.name, attributes)
            if target := attributes.get("href") or attributes.get("src"):
                yield f"<{' '.join(target.split())}> ", seen
            waiting.extend((child, seen) for child in reversed(node.children or ()))


def _hides(name: str, attributes: dict[str, str | None]) -> bool:
    if name in _NEVER or "hidden" in attributes or "popover" in attributes:
        return True
    return unseen(attributes.get("style") or "")


def _ends_as_text(element: Any) -> bool:
    """Whether what follows is read the same if what the element holds is markup after all."""
    content = "".join(str(child.data) for child in element.children or () if child.name == "#text")
    if "<" not in content:
        return True
    content, whole = readable(f"{content}.")
    last: tuple[str | None, bool] = ("", False)
    for last in _texts(_parsed(content) if whole else (), inner=True):
        if last[0] is None:
            return False
    return last[1] and str(last[0]).endswith(".")
