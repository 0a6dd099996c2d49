"""The counts of a run, and what may be concluded from a zero."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """`wrong`: what has to be zero, with how many tries there were."""

    wrong: dict[str, tuple[float, int]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def count(self, name: str, found: float, of: int) -> None:
        self.wrong[name] = (found, of)

    @property
    def green(self) -> bool:
        return not any(found for found, _ in self.wrong.values())

    def lines(self) -> list[str]:
        rows = []
        for name, (found, of) in self.wrong.items():
            # The rule of three: with none in n, the true share is below 3/n, 19 times out of 20.
            bound = f"0 of {of}: below {3 / of:.2%} (95 %)" if of and not found else f"of {of}"
            shown = f"{found:.2f}" if isinstance(found, float) else str(found)
            rows.append(f"  {name:34} {shown:>6}   {bound}")
        return [*self.told, *rows, *(f"  ! {one}" for one in self.details[:20])]


def percentiles(values: list[float]) -> str:
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99, 1.0)]
    return " / ".join(f"{one:.1f}" for one in at) + f" s (p50/p99/max of {len(ordered)})"
