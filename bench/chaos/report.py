"""What was found, and how it is shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """One count: how much is wrong, of how many, and what there is to say of each."""

    wrong: float
    of: int
    details: tuple[str, ...] = ()


def found(details: Collection[str], of: int) -> Found:
    """A detail for each that is wrong."""
    return Found(len(details), of, tuple(details))


@dataclass
class Report:
    """`counts`: what has to be zero, by its name."""

    counts: dict[str, Found] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def add(self, name: str, one: Found) -> None:
        self.counts[name] = one
        self.details += [f"{name}: {detail}" for detail in one.details]

    @property
    def red(self) -> list[str]:
        return [name for name, one in self.counts.items() if one.wrong]

    @property
    def green(self) -> bool:
        return not self.red

    def lines(self) -> list[str]:
        rows = [_row(name, one) for name, one in self.counts.items()]
        return [*self.told, *rows, *(f"  ! {one}" for one in self.details[:40])]


def _row(name: str, one: Found) -> str:
    # The rule of three: with none in n, the true share is below 3/n, 19 times out of 20.
    of = one.of
    bound = f"0 of {of}: below {3 / of:.2%} (95 %)" if of and not one.wrong else f"of {of}"
    shown = f"{one.wrong:.2f}" if isinstance(one.wrong, float) else str(one.wrong)
    return f"  {name:34} {shown:>6}   {bound}"


def percentiles(values: list[float]) -> str:
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99, 1.0)]
    return " / ".join(f"{one:.1f}" for one in at) + f" s (p50/p99/max of {len(ordered)})"
