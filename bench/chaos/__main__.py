"""`python -m bench.chaos`: the gate. Ends with 0 when every count is zero.

python -m bench.chaos                          the gate: 300 tasks, 40 + 40 + 5 kills, …
python -m bench.chaos --tasks 2000 --times 5   longer: five times the faults
python -m bench.chaos --mutant fence           a guard taken out: has to end with 1
    python -m bench.chaos --stock                  the same on plain Celery, for comparison
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from bench.chaos.faults import FAULTS
from bench.chaos.gate import Plan, run
from bench.chaos.mutants import MUTANTS
from bench.chaos.scenes import SCENES


def main() -> int:
    given = _options()
    if given.stock:
        return _stock(given)
    plan = Plan(
        seed=given.seed,
        tasks=given.tasks,
        github=given.tasks * 40 // 300 if given.github is None else given.github,
        hints=given.tasks,
        doubles=given.tasks // 10,
        faults=_faults(given),
        hosts=given.hosts,
        workers=given.workers,
        working=given.working,
        seconds=given.seconds,
        scenes=() if given.no_scenes else tuple(given.scene or SCENES),
        mutant=given.mutant,
    )
    print(f"chaos: seed {plan.seed}", flush=True)
    began = time.monotonic()
    report = run(plan)
    print("\n".join(report.lines()))
    if plan.mutant:
        print(f"chaos: {_noticed(plan.mutant, report.red)}")
    print(f"chaos: {'green' if report.green else 'RED'} after {time.monotonic() - began:.0f} s")
    return 0 if report.green else 1


def _noticed(mutant: str, red: list[str]) -> str:
    wanted = MUTANTS[mutant].notices
    word = "noticed by" if wanted in red else "NOT noticed by"
    return f"mutant {mutant} was {word} {wanted!r}; red: {', '.join(red) or 'nothing'}"


def _stock(given: argparse.Namespace) -> int:
    """Always 0: nothing is wrong with our code when Celery loses something."""
    from bench.chaos import stock

    faults = _faults(given)
    for acks in ("early", "late"):
        report = stock.run(acks, given.seed, given.tasks, faults, given.seconds)
        print("\n".join(report.lines()), flush=True)
    return 0


def _faults(given: argparse.Namespace) -> dict[str, int]:
    wanted = given.only or FAULTS
    return {
        name: round(one.often * given.times) if name in wanted else 0
        for name, one in FAULTS.items()
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--github", type=int, help="of them; as in the gate: two of fifteen")
    parser.add_argument("--times", type=float, default=1.0, help="of the gate's faults")
    parser.add_argument("--only", action="append", choices=FAULTS, help="this fault; again: others")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4, help="of each host")
    parser.add_argument("--seconds", type=float, default=210.0, help="after which it has failed")
    parser.add_argument("--working", type=float, default=0.0, help="seconds with new work; 0: all")
    parser.add_argument("--scene", action="append", choices=SCENES, help="alone; again: others")
    parser.add_argument("--no-scenes", action="store_true")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="")
    parser.add_argument("--stock", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
