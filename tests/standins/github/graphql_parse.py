"""Just enough of GraphQL's grammar to know which fields were asked for."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

LEXEME = re.compile(
    r'\s+|,|#[^\n]*|(?P<token>"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|\.\.\.|[A-Za-z_]\w*'
    r"|-?\d+(?:\.\d+)?|[!$():=@\[\]{}|&])"
)
CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A field; or a fragment, then `name` is empty and `on` its type, or None for any."""

    name: str
    alias: str = ""
    on: str | None = None
    args: dict[str, Any] = field(default_factory=dict)
    children: "list[Selection]" = field(default_factory=list)


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(kw_only=True)
class Document:
    kind: str = "query"
    name: str = ""
    defaults: dict[str, Any] = field(default_factory=dict)
    selections: list[Selection] = field(default_factory=list)
    fragments: dict[str, Selection] = field(default_factory=dict)


def parse(text: str) -> Document:
    return _Parser(text).document()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [found["token"] for found in LEXEME.finditer(text) if found["token"]]
        self._at = 0

    def document(self) -> Document:
        document = Document()
        while self._peek():
            if self._peek() == "fragment":
                self._fragment(document)
            else:
                self._operation(document)
        return document

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _accept(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise ValueError(f"Expected {token!r}, found {found!r}")

    def _operation(self, document: Document) -> None:
        if self._peek() != "{":
            document.kind = self._next()
            if self._peek() not in {"(", "{"}:
                document.name = self._next()
            if self._accept("("):
                self._variables(document)
        document.selections = self._selections(document)

    def _variables(self, document: Document) -> None:
        while not self._accept(")"):
            self._expect("$")
            name = self._next()
            self._expect(":")
            while self._peek() in {"[", "]", "!"} or self._peek().isidentifier():
                self._next()
            if self._accept("="):
                document.defaults[name] = self._value()

    def _fragment(self, document: Document) -> None:
        self._expect("fragment")
        name = self._next()
        self._expect("on")
        on = self._next()
        document.fragments[name] = Selection(name="", on=on, children=self._selections(document))

    def _selections(self, document: Document) -> list[Selection]:
        self._expect("{")
        found = []
        while not self._accept("}"):
            found.append(self._spread(document) if self._accept("...") else self._field(document))
        return found

    def _spread(self, document: Document) -> Selection:
        if self._accept("on"):
            return Selection(name="", on=self._next(), children=self._selections(document))
        if self._peek() == "{":
            return Selection(name="", children=self._selections(document))
        return Selection(name="", alias=self._next())  # a named fragment, looked up when run

    def _field(self, document: Document) -> Selection:
        name = alias = self._next()
        if self._accept(":"):
            name = self._next()
        args = self._arguments() if self._peek() == "(" else {}
        children = self._selections(document) if self._peek() == "{" else []
        return Selection(name=name, alias=alias, args=args, children=children)

    def _arguments(self) -> dict[str, Any]:
        self._expect("(")
        return self._pairs(")")

    def _pairs(self, end: str) -> dict[str, Any]:
        pairs = {}
        while not self._accept(end):
            name = self._next()
            self._expect(":")
            pairs[name] = self._value()
        return pairs

    def _value(self) -> Any:
        token = self._next()
        if token == "$":
            return Variable(self._next())
        if token == "{":
            return self._pairs("}")
        if token == "[":
            items = []
            while not self._accept("]"):
                items.append(self._value())
            return items
        if token in CONSTANTS:
            return CONSTANTS[token]
        if token.isidentifier():
            return token  # an enum
        return json.loads(token)
