"""What has to be zero. A count is one entry: its name, and what finds it.

Each is found from the agents' own log, from GitHub's state, from git and from the process table;
our records are only compared with these.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.chaos.counts import accounts, clones, github, records, runs
from bench.chaos.faults import Faults
from bench.chaos.load import Load
from bench.chaos.report import Found

Count = Callable[[Load, Faults], Found]

# Asked while the broker still knows all tasks.
WHILE_KNOWN: dict[str, Count] = {
    "completed, recorded otherwise": records.recorded_otherwise,
    "false success": clones.false_success,
    "work left behind": clones.left_behind,
    "agent killed, nobody told": records.untold,
    "agent killed, not gone on with": records.not_gone_on,
    "charged wrongly": records.charged_wrongly,
    "duplicate pull requests": github.duplicate_pulls,
    "wrong labels after 60 s": github.wrong_labels,
    "told GitHub too often": github.told_too_often,
    "stale refs": clones.stale_refs,
}
# Asked when all is over.
AT_THE_END: dict[str, Count] = {
    "lost, or not done in time": runs.lost,
    "completed twice": runs.completed_twice,
    "begun in a closed window": accounts.closed_window,
    "tried at once": accounts.tried_at_once,
    "agent repeated for a step": runs.repeated_for_a_step,
    "issue taken twice": runs.taken_twice,
    "seconds with two agents": runs.seconds_with_two,
    "older fence after newer": runs.older_fences,
    "begun anew, not gone on with": runs.begun_anew,
    "late words accepted": runs.late_words,
    "unreadable records": records.unreadable,
}
