"""`python -m bench.recording.review FILE`: cw review on a terminal, really typed, as a moving
picture. GitHub is the stand-in of the tests; the pull requests, and what agents said of them, are
made up. Needs redis-server and git.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.broker import running_broker
from bench.recording.__main__ import save
from bench.recording.film import Frame, film
from bench.recording.screen import Screen
from cw.store.store import open_store
from tests.integration.assigning import BOT
from tests.integration.following import Hands, Road
from tests.making import KEYRING
from tests.standins.github import GitHubStandIn
from tests.terminal import CW, Terminal

COLUMNS, ROWS = 84, 31
REPO, PERSON, TOKEN = "acme/shop", "ann", "ann-token"
_READ, _TYPED, _LAST = 4.5, 1.5, 8.0  # seconds that a frame stands
_ASKS = "q quit  ?: "
_KEYS = "amm"  # and the last one is sent back
_CHANGES = "Name the currency, please."
_ABOUT = (
    "cw review on a terminal: of three pull requests the first is approved and merged, the second"
    " merged, and the third sent back with a request for changes."
)
_SHOP = """PRICES = {"apple": 40, "bread": 250, "tea": 380}


def total(things):
    return sum(PRICES[one] for one in things)
"""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A pull request, and its agent's last words."""

    title: str
    files: Mapping[str, str]
    report: str


_MADE = (
    Made(
        title="Unknown things have no price",
        files={"shop.py": _SHOP.replace("PRICES[one]", "PRICES.get(one, 0)")},
        report="What is not sold costs nothing now, instead of ending with a KeyError.",
    ),
    Made(
        title="Say what this shop does",
        files={"README.md": "# A very small shop\n\nIt sells apples, bread and tea.\n"},
        report="There was no README. It says what is sold.",
    ),
    Made(
        title="Print a receipt",
        files={"receipt.py": "def receipt(things):\n    return chr(10).join(things)\n"},
        report="receipt() prints a line for each thing. The code names no currency.",
    ),
)


def main() -> int:
    hands = Hands()
    with (
        running_broker() as (folder, url),
        GitHubStandIn(folder / "hub", clock=hands.now) as hub,
    ):
        road = Road.open(hub, open_store(url, KEYRING), hands, [REPO])
        _fill(road)
        frames = _frames(_environment(road, folder))
    save(Path(sys.argv[1]), film(frames, COLUMNS, ROWS, _ABOUT))
    return 0


def _fill(road: Road) -> None:
    """Ready since an hour."""
    road.hub.add_user(PERSON, TOKEN, {REPO: "write"})
    road.hub.add_commit(REPO, "main", {"shop.py": _SHOP})
    numbers = [_pull(road, made) for made in _MADE]
    road.follow(timedelta(minutes=6))
    for number in numbers:
        road.age(number, REPO)


def _pull(road: Road, made: Made) -> int:
    hub = road.hub
    issue = hub.add_issue(REPO, made.title, author=PERSON)
    branch = f"issue-{issue}"
    head = hub.add_commit(REPO, branch, dict(made.files), actor=BOT)
    number = hub.add_pull(REPO, branch, made.title, f"Fixes #{issue}", author=BOT)
    for check in ("lint", "test"):
        hub.check(REPO, branch, check, "success")
    url = f"{road.office.settings.github_url}/{REPO}/pull/{number}"
    road.ended_task(REPO, issue, url, head, title=made.title, report=made.report)
    return number


def _environment(road: Road, folder: Path) -> dict[str, str]:
    """Of somebody who has a token and no pager."""
    return road.env() | {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "CW_STATE_DIR": str(folder / "state"),
        "CW_WORKERS_ROOT": str(folder / "workers"),
        "GH_TOKEN": TOKEN,
        "GIT_PAGER": "cat",
    }


def _frames(env: Mapping[str, str]) -> list[Frame]:
    screen, frames, drawn = Screen(COLUMNS), list[Frame](), 0
    words = ("review", "--message", _CHANGES)
    screen.write(f'$ cw review --message "{_CHANGES}"\n')
    with Terminal(env, *words, program=CW, columns=COLUMNS) as terminal:

        def shoot(seconds: float) -> None:
            nonlocal drawn
            screen.write(terminal.text[drawn:])
            drawn = len(terminal.text)
            shown = screen.lines[:-1] if not screen.lines[-1] else screen.lines
            frames.append(Frame(tuple(tuple(line) for line in shown[-ROWS:]), seconds))

        for at, key in enumerate(f"{_KEYS}c", 1):
            terminal.wait_for(_ASKS, at)
            shoot(_READ if key == "a" or at > 2 else _TYPED)
            terminal.type(key)
        code = terminal.finish()
        shoot(_LAST)
    assert code == 0, terminal.text
    return frames


if __name__ == "__main__":
    sys.exit(main())
