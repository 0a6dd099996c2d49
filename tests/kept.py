"""What a forge said before, kept for the length of a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class Memory:
    """As `cw.forges.reading.Kept` has it; nothing grows old."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def page(self, key: str) -> tuple[str, str] | None:
        return self.pages.get(key)

    def keep_page(self, key: str, etag: str, body: str) -> None:
        self.pages[key] = (etag, body)

    def fact(self, name: str) -> str | None:
        return self.facts.get(name)

    def keep_fact(self, name: str, value: str, life: timedelta) -> None:
        self.facts[name] = value
