"""Guards that can be taken out, each with the count that has to turn red without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.chaos.mutants import leases, outcomes, telling


@dataclass(frozen=True, slots=True)
class Mutant:
    """`take_out` changes the code that is loaded; `notices` is a count's name."""

    notices: str
    take_out: Callable[[], None]


MUTANTS: dict[str, Mutant] = {
    "fence": Mutant("late words accepted", leases.fence),
    "self-fence": Mutant("seconds alive after lease", leases.self_fence),
    "renewal": Mutant("seconds alive after lease", leases.renewal),
    "sweep": Mutant("lost, or not done in time", leases.sweep),
    "lease": Mutant("completed twice", leases.lease),
    "claim": Mutant("issue taken twice", leases.claim),
    "early claim": Mutant("issue taken twice", leases.early_claim),
    "loss": Mutant("charged wrongly", leases.loss),
    "deferral": Mutant("charged wrongly", leases.deferral),
    "session": Mutant("begun anew, not gone on with", outcomes.session),
    "no commits": Mutant("completed, recorded otherwise", outcomes.no_commits),
    "killed": Mutant("agent killed, nobody told", outcomes.killed),
    "push": Mutant("stale refs", outcomes.push),
    "wrong end": Mutant("told GitHub in another order", telling.wrong_end),
    "twice": Mutant("told GitHub in another order", telling.twice),
    "labels": Mutant("told GitHub too often", telling.labels),
}


def mutate(name: str) -> None:
    if name:
        MUTANTS[name].take_out()
