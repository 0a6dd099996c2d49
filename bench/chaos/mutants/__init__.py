"""Guards that can be taken out, each with the count that has to turn red without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.chaos.mutants import accounts, leases, outcomes, repairs, telling


@dataclass(frozen=True, slots=True)
class Mutant:
    """`take_out` changes the code that is loaded; `notices` is a count's name; `run`: options of a
    short run that is long enough for it.
    """

    notices: str
    take_out: Callable[[], None]
    run: str = "--seed 7 --tasks 60 --times 0.25"


_FEW = "--seed 7 --hosts 2 --workers 3"
_WORK = f"{_FEW} --tasks 40 --times 0 --no-scenes"
_KILLS = f"{_FEW} --tasks 24 --times 0.25 --only 'kill agent' --no-scenes"
_TUNNELS = f"{_FEW} --tasks 16 --github 16 --only 'spoil tunnels' --no-scenes"
_LOST = "--seed 7 --tasks 60 --github 30 --times 2 --only 'kill fork server' --no-scenes"
_LIMITS = "--seed 7 --hosts 2 --workers 4 --tasks 90 --times 0 --no-scenes"
_DONE = f"{_FEW} --tasks 24 --times 0 --scene 'done before'"
_AWAY = f"{_FEW} --tasks 8 --times 0 --scene 'github away'"
_CEILING = f"{_FEW} --tasks 8 --times 0 --scene 'shared ceiling'"
_REPAIRS = f"{_FEW} --tasks 8 --times 0 --scene repairs"
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
    "hold": Mutant("begun in a closed window", accounts.hold, _LIMITS),
    "canary": Mutant("tried at once", accounts.canary, _LIMITS),
    "reservation": Mutant("overspent", accounts.reservation, _CEILING),
    "session": Mutant("begun anew, not gone on with", outcomes.session),
    "no commits": Mutant("completed, recorded otherwise", outcomes.no_commits, _WORK),
    "killed": Mutant("agent killed, nobody told", outcomes.killed),
    "killed once": Mutant("agent killed, not gone on with", outcomes.killed_once, _KILLS),
    "push": Mutant("stale refs", outcomes.push, _WORK),
    "belief": Mutant("false success", outcomes.belief, _WORK),
    "own work": Mutant("false success", outcomes.own_work, _DONE),
    "keeping": Mutant("work left behind", outcomes.keeping, _WORK),
    "step": Mutant("agent repeated for a step", outcomes.step, _TUNNELS),
    "lost command": Mutant("completed, recorded otherwise", outcomes.lost_command, _LOST),
    "wrong end": Mutant("told GitHub in another order", telling.wrong_end, _AWAY),
    "twice": Mutant("told GitHub in another order", telling.twice, _AWAY),
    "labels": Mutant("told GitHub too often", telling.labels),
    "bound": Mutant("repairs too many", repairs.bound, _REPAIRS),
    "turn": Mutant("repairs too many", repairs.turn, _REPAIRS),
    "said before": Mutant("comment twice", repairs.said_before, _REPAIRS),
    "hands": Mutant("push after stop", repairs.hands, _REPAIRS),
    "end of a repair": Mutant("repair in doubt", repairs.end_of_repair, _REPAIRS),
}


def mutate(name: str) -> None:
    if name:
        MUTANTS[name].take_out()
