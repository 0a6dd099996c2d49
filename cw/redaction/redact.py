"""Nothing secret leaves HOME: known values and known shapes are blotted out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cw.redaction.written import LONG, Span, Written, written

_SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{20,}"
    r"|sk-ant-[A-Za-z0-9_-]{8,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bxox[a-z]-[A-Za-z0-9-]{10,}"
    r"|(?<=://)[^\s/:@\"']+:[^\s/@\"']+(?=@)"  # user:password of a URL
    # Not past a quote: in a line of JSON it ends the text that the key stands in.
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^\"]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=\")|\Z)"
)
# A JSON web token. Each run of its letters is looked at once: to begin anew at each `eyJ` of a
# megabyte of them would take minutes, and nothing else in the process would go on meanwhile.
_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])(?=([A-Za-z0-9_-]{13,}+)\.[A-Za-z0-9_-]{10,}+\.([A-Za-z0-9_-]{10,}+))"
)
_JWT_BEGINS, _JWT_LEAST = "eyJ", 13
_NAMES = re.compile(
    r"(?:^|_)(?:\w*TOKEN|SECRET|PASSWORD|PASSWD|PASS|PWD|\w*KEY|CREDENTIALS?|PRIVATE|DSN)(?:_|$|S$)",
    re.IGNORECASE,
)
_NO_SECRETS = re.compile(r"GIT_CONFIG_|PWD$|OLDPWD$")
# A value that nobody made up, whatever its name; no path.
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9_+=~-][A-Za-z0-9_.+/=~-]{15,}")
_PREFIX = re.compile(r"gh[pousr]_|github_pat_|sk-ant-[a-z]+\d*-|xox[a-z]-")  # known to everybody
_WORDS = re.compile(r"[A-Za-z0-9_-]{7,}")
_MIXED = re.compile(r"[a-z][A-Z]|[0-9].*[A-Za-z]|[A-Za-z].*[0-9]")
_TELLING = re.compile(r"[0-9]|[a-z][A-Z]")  # in whatever is mixed; found in one look
_PIECE = 7  # characters; a chopped value is known by pieces of this length
_SHORTEST = 8  # shorter values would blot out ordinary words
_BLOT = "[redacted]"
_NONE = Written()


@dataclass(frozen=True, slots=True)
class Redactor:
    """`pieces` are the parts by which a secret is known when it was chopped up."""

    secrets: Written = _NONE
    pieces: frozenset[str] = frozenset()

    def __call__(self, text: str) -> str:
        return _blotted(text, self._spans(text), lambda _: _BLOT)

    def same_length(self, raw: bytes) -> bytes:
        """For logs, which are read by offset."""
        return self.part(raw, len(raw))[0]

    def part(self, raw: bytes, wanted: int) -> tuple[bytes, int]:
        """The same for the beginning of a text that goes on, and how long the beginning is: it ends
        at `wanted`, or before the secret that lies across that place.
        """
        text = raw.decode("latin-1")
        spans = self._spans(text)
        cut = next((a for a, b in _joined(spans) if 0 < a < wanted < b), wanted)
        shown = _blotted(text, spans, lambda n: _BLOT.ljust(n, "*")[:n])
        return shown[:cut].encode("latin-1"), cut

    def deep(self, value: Any) -> Any:
        """The same for every text in a JSON value."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.deep(part) for part in value]
        if isinstance(value, dict):
            return {self(str(key)): self.deep(part) for key, part in value.items()}
        return value

    def knows(self, text: str) -> bool:
        """Whether a known value is in it as a whole. Shapes alone do not count, nor pieces: many
        projects have test data that looks like a token.
        """
        return next(self.secrets.spans(text), None) is not None

    def _spans(self, text: str) -> list[Span]:
        shapes = (shape.span() for shape in _SHAPES.finditer(text))
        pieces = self._chopped(text) if self.pieces else ()
        return sorted([*self.secrets.spans(text), *pieces, *shapes, *_web_tokens(text)])

    def _chopped(self, text: str) -> Iterator[Span]:
        for word in _WORDS.finditer(text):
            if not _TELLING.search(word[0]):  # most: no piece is like it
                continue
            for at in range(word.start(), word.end() - _PIECE + 1):
                if text[at : at + _PIECE] in self.pieces:
                    yield at, at + _PIECE


def _web_tokens(text: str) -> Iterator[Span]:
    for token in _JWT.finditer(text) if _JWT_BEGINS in text else ():
        begin = text.find(_JWT_BEGINS, token.start(1), token.end(1) - _JWT_LEAST + len(_JWT_BEGINS))
        if begin >= 0:
            yield begin, token.end(2)


def _blotted(text: str, spans: list[Span], blot: Callable[[int], str]) -> str:
    """`blot` makes what takes the place of so many characters."""
    parts, at = [], 0
    for begin, end in _joined(spans):
        parts += [text[at:begin], blot(end - begin)]
        at = end
    return "".join([*parts, text[at:]])


def _joined(spans: list[Span]) -> list[Span]:
    """Spans that touch or overlap as one. `spans` are in order."""
    joined: list[Span] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def redactor(*envs: Mapping[str, str]) -> Redactor:
    """For the secrets among these variables."""
    return _made(frozenset(value for env in envs for value in _secrets(env)))


def _secrets(env: Mapping[str, str]) -> Iterator[str]:
    for name, value in env.items():
        named = _NAMES.search(name) and not _NO_SECRETS.match(name)
        if len(value) >= _SHORTEST and (named or _RANDOM.fullmatch(value)):
            yield value


@lru_cache(maxsize=64)
def _made(secrets: frozenset[str]) -> Redactor:
    pieces = (piece for secret in secrets if len(secret) >= LONG for piece in _pieces(secret))
    return Redactor(written(secrets), frozenset(pieces))


def _pieces(secret: str) -> Iterator[str]:
    """Those that no ordinary word is like: letters and digits, or capitals within."""
    rest = _PREFIX.sub("", secret, count=1)
    for at in range(len(rest) - _PIECE + 1):
        piece = rest[at : at + _PIECE]
        if _WORDS.fullmatch(piece) and _MIXED.search(piece):
            yield piece
