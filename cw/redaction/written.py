"""The ways in which a known secret may be written, and where a text has it so."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

LONG = 16  # characters; shorter ones could be chopped, or stand with others between, by chance
_BETWEEN = r"(?:\\[nrtx]|[^A-Za-z0-9]){0,8}"
_ESCAPES = (b"\\n", b"\\r", b"\\t", b"\\x")
_OTHERS = bytes(byte for byte in range(256) if not chr(byte).isascii() or not chr(byte).isalnum())
# A line of od, xxd or hexdump -C: where it begins, then its bytes.
_DUMPED = re.compile(r"0[0-9a-f]{5,7}:?((?: {1,2}(?:[0-9A-Fa-f]{2}){1,8}){1,16})")
_DUMPED_DIGITS = 32  # of 16 bytes; behind them stands what they mean

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """`whole`: ways that are found as they are. `spread`: those that are found with other
    characters in between as well, each beside its letters and digits alone. `dumped`: hexadecimal
    digits, found in what od, xxd and hexdump print.
    """

    whole: tuple[str, ...] = ()
    spread: tuple[tuple[bytes, str], ...] = ()
    dumped: tuple[str, ...] = ()

    def spans(self, text: str) -> Iterator[Span]:
        for way in self.whole:
            yield from ((at, at + len(way)) for at in _all(way, text))
        if self.spread:  # there are secrets
            yield from self._spread(text)
            yield from self._dumped(text)

    def _spread(self, text: str) -> Iterator[Span]:
        """Without what is in between first: of a hundred ways hardly one is in a text, and to look
        for all of them with it would take minutes.
        """
        bare = _bare(text)
        for letters, way in self.spread:
            if any(letters in form for form in bare):
                yield from (found.span() for found in _over(way).finditer(text))

    def _dumped(self, text: str) -> Iterator[Span]:
        """Over the lines' numbers, and over what stands beside their bytes."""
        lines = list(_DUMPED.finditer(text))
        digits = "".join(line[1].replace(" ", "")[:_DUMPED_DIGITS] for line in lines).lower()
        found = [(at, at + len(secret)) for secret in self.dumped for at in _all(secret, digits)]
        if found:
            places = [place for line in lines for place in _places(line)]
            yield from ((places[begin], places[end - 1] + 1) for begin, end in found)


def written(secrets: Iterable[str]) -> Written:
    whole, spread = set[str](), set[str]()
    for secret in secrets:
        (spread if len(secret) >= LONG else whole).update(_plain(secret))
        spread |= {*_encoded(secret.encode())}
    return Written(
        tuple(sorted(whole)),
        tuple((_bare(way)[0], way) for way in sorted(spread)),
        tuple(sorted(secret.encode().hex() for secret in secrets)),
    )


def _plain(secret: str) -> Iterator[str]:
    """As it is, in a log that is read byte by byte, in JSON, in a URL."""
    yield from (secret, secret.encode().decode("latin-1"))
    yield from (json.dumps(secret)[1:-1], quote(secret, safe=""))


def _encoded(secret: bytes) -> Iterator[str]:
    yield from (secret.hex(), secret.hex().upper())
    yield from (_base64(secret, shift) for shift in range(3))


def _base64(secret: bytes, shift: int) -> str:
    """What base64 makes of it wherever it begins, as in `user:token`; its ends are uncertain."""
    whole = base64.b64encode(bytes(shift) + secret).decode().rstrip("=")
    certain = (shift + len(secret)) * 8 // 6
    return whole[-(-shift * 8 // 6) : certain]


def _all(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _bare(text: str) -> tuple[bytes, ...]:
    """Its letters and digits alone; and once more without the letters of JSON's escapes."""
    raw = plain = text.encode("ascii", "replace")
    for escape in _ESCAPES:
        plain = plain.replace(escape, b"")
    bare = raw.translate(None, _OTHERS)
    return (bare,) if plain == raw else (bare, plain.translate(None, _OTHERS))


@lru_cache(maxsize=256)
def _over(way: str) -> re.Pattern[str]:
    return re.compile(_BETWEEN.join(map(re.escape, way)))


def _places(line: re.Match[str]) -> list[int]:
    begin, text = line.start(1), line[1]
    return [begin + at for at, char in enumerate(text) if char != " "][:_DUMPED_DIGITS]
