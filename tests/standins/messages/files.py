"""Scripts from a JSON file, for use by hand.

    [{"match": "issue-22", "turns": [{"bash": "make test"}, {"text": "Done."}]},
     {"turns": [{"error": {"status": 529, "times": 2}}, {"usage_limit": 1900000000}]}]

Turns: text, bash, write {path, content}, tool {name, input}, error {status, …}, drop, usage_limit,
hang. Beside them, optionally: delay_s, headers, usage.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.standins.messages import turns
from tests.standins.messages.scripts import Script

KINDS: Mapping[str, Callable[[Any], turns.Turn]] = {
    "text": turns.text,
    "bash": turns.bash,
    "write": lambda given: turns.write(given["path"], given["content"]),
    "tool": lambda given: turns.tool(given["name"], given["input"]),
    "error": lambda given: turns.error(**given),
    "drop": lambda _given: turns.drop(),
    "usage_limit": turns.usage_limit,
    "hang": lambda _given: turns.hang(),
}


def load(path: Path) -> list[Script]:
    listed = json.loads(path.read_text(encoding="utf-8"))
    return [Script([_turn(one) for one in each["turns"]], each.get("match")) for each in listed]


def _turn(given: Mapping[str, Any]) -> turns.Turn:
    made = [make(given[kind]) for kind, make in KINDS.items() if kind in given]
    if not made:
        raise ValueError(f"a turn needs one of {', '.join(KINDS)}: {given}")
    usage = turns.Usage(**given["usage"]) if "usage" in given else made[0].usage
    headers = {**made[0].headers, **given.get("headers", {})}
    whole = turns.together(*made)
    return replace(whole, usage=usage, headers=headers, delay_s=given.get("delay_s", 0))
