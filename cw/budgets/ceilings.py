"""What may be spent, as people write it: `5usd 200turns 60min`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(usd|turns|min)")
LABEL = "budget:"  # an issue's label with such a text behind it
MINUTE = 60.0
OPTIONS = {"usd": "--max-usd", "turns": "--max-turns", "s": "--max-minutes"}


@dataclass(frozen=True, slots=True)
class Amount:
    """Dollars, turns and seconds: spent, or to be had. In a ceiling 0 is no limit."""

    usd: float = 0.0
    turns: int = 0
    s: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.usd or self.turns or self.s)

    def plus(self, other: Amount) -> Amount:
        return Amount(self.usd + other.usd, self.turns + other.turns, self.s + other.s)

    def under(self, other: Amount) -> Amount:
        """The ceiling that is the lower of both, unit by unit."""
        return Amount(
            _lower(self.usd, other.usd),
            int(_lower(self.turns, other.turns)),
            _lower(self.s, other.s),
        )

    def instead(self, other: Amount) -> Amount:
        """This ceiling where it says something, else the other."""
        return Amount(self.usd or other.usd, self.turns or other.turns, self.s or other.s)

    def up_to(self, other: Amount) -> Amount:
        """The same, nowhere higher than the other ceiling."""
        return Amount(
            self.usd and _lower(self.usd, other.usd),
            self.turns and int(_lower(self.turns, other.turns)),
            self.s and _lower(self.s, other.s),
        )

    def met_by(self, took: Amount) -> str:
        """The unit in which nothing of this ceiling is left: a key of OPTIONS; empty: there is."""
        units = (
            ("usd", self.usd, took.usd),
            ("turns", self.turns, took.turns),
            ("s", self.s, took.s),
        )
        return next((unit for unit, most, used in units if most and used >= most), "")

    def text(self) -> str:
        parts = [
            f"{_plain(self.usd)}usd" if self.usd else "",
            f"{self.turns}turns" if self.turns else "",
            f"{_plain(self.s / MINUTE)}min" if self.s else "",
        ]
        return " ".join(part for part in parts if part)


NONE = Amount()


def parse(text: str) -> Amount:
    """Raises ValueError. Empty: no limit."""
    found: dict[str, float] = {}
    for part in text.lower().replace(",", " ").split():
        match = _PART.fullmatch(part)
        number, unit = (float(match[1]), match[2]) if match else (0.0, "")
        if number <= 0 or unit in found or (unit == "turns" and not number.is_integer()):
            raise ValueError(text)
        found[unit] = number
    return Amount(found.get("usd", 0.0), int(found.get("turns", 0)), found.get("min", 0.0) * MINUTE)


def ceiling(text: str) -> str:
    """The same, as a setting is kept. Raises ValueError."""
    return parse(text).text()


def labelled(labels: tuple[str, ...] | list[str]) -> Amount:
    """What an issue's labels allow it. Raises ValueError with the label that does not say it."""
    found = Amount()
    for label in labels:
        if not label.lower().startswith(LABEL):
            continue
        try:
            one = parse(label[len(LABEL) :])
        except ValueError:
            raise ValueError(label) from None
        if not one:
            raise ValueError(label)
        found = found.under(one)
    return found


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _lower(one: float, other: float) -> float:
    """Of two ceilings, of which 0 is none."""
    return min(one, other) if one and other else one or other
