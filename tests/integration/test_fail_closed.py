"""A wall that is missing, broken or unproven: claude is started 0 times, and the host says why."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cw.states import State
from tests.contract.binaries import found
from tests.integration.hosting import Machine, machine
from tests.needs import need, require
from tests.standins.messages import MessagesStandIn, bash, text
from tests.waiting import wait_until
from tests.walls import WALLS

_QUIET = (
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
)


@contextmanager
def strict(
    repo: Path, api: MessagesStandIn, tmp_path: Path, version: str = "", without: str = ""
) -> Iterator[Machine]:
    """A machine whose claude notes each of its starts, and whose PATH may lack a program."""
    claudes = found()
    require(claudes and WALLS, "claude, bubblewrap and socat")
    real, wrapper, path = claudes[-1].path, tmp_path / "claude", tmp_path / "bin"
    says = f"echo '{version} (Claude Code)'; exit" if version else ":"
    wrapper.write_text(
        "#!/bin/sh\ncase $* in\n"
        f"  *--version*) {says} ;;\n"
        '  *) echo start >>"$HOME/tmp/starts" ;;\n'
        f'esac\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    path.mkdir()
    for name in {"git", "true", "bwrap", "socat"} - {without}:
        (path / name).symlink_to(need(name))
    env = {
        "CW_ISOLATION": "strict",
        "CW_CLAUDE": str(wrapper),
        "CW_AGENT_ENV": " ".join(_QUIET),
        "CW_SANDBOX_READ": f"{real}:{sys.prefix}:{sys.base_prefix}",
        "PATH": str(path),
        "ANTHROPIC_BASE_URL": api.url,
        **dict.fromkeys(_QUIET[1:], "1"),
    }
    with machine(repo, **env) as here:
        yield here


@pytest.fixture
def api() -> Iterator[MessagesStandIn]:
    with MessagesStandIn() as api:
        api.script(bash("echo x > x && git add x && git commit -qm x"), text("Done."))
        yield api


def starts(here: Machine) -> int:
    path = here.home().tmp / "starts"
    return len(path.read_text("utf-8").splitlines()) if path.exists() else 0


def unfit(here: Machine) -> str:
    return next((one.unfit for one in here.store().fleet.hosts()), "")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"without": "bwrap"}, "bubblewrap (bwrap) is not installed"),
        ({"without": "socat"}, "socat is not installed"),
        ({"version": "2.1.197"}, "2.1.197 is older than"),
    ],
    ids=["bwrap", "socat", "old"],
)
def test_claude_is_never_started(
    git_repo: Path, api: MessagesStandIn, tmp_path: Path, how: dict[str, str], says: str
) -> None:
    with strict(git_repo, api, tmp_path, **how) as here:
        spec = here.dispatch("Do it.")
        here.start()
        first = here.store().fleet.hosts()[0].seen_at
        assert says in unfit(here)
        wait_until(lambda: here.store().fleet.hosts()[0].seen_at != first, what="another look")

        assert (starts(here), here.task(spec).state, api.requests) == (0, State.QUEUED, [])


def test_settings_that_weaken_the_inner_wall_start_nothing(
    git_repo: Path, api: MessagesStandIn, tmp_path: Path
) -> None:
    """Of the probe's starts the configured API hears nothing."""
    with strict(git_repo, api, tmp_path) as here:
        weak = {"permissions": {"allow": ["Read(//**)", "Edit(//**)"]}}
        (here.home().claude / "settings.json").write_text(json.dumps(weak), "utf-8")
        spec = here.dispatch("Do it.")
        here.start()
        wait_until(lambda: unfit(here), 60, here.log)

        assert "claude's Read tool reached a file outside HOME" in unfit(here)
        assert (here.task(spec).state, api.requests) == (State.QUEUED, [])


def test_walls_that_hold_are_proven_once(
    git_repo: Path, api: MessagesStandIn, tmp_path: Path
) -> None:
    """The control: here the same counter counts the probe and two runs, and then a new probe."""
    with strict(git_repo, api, tmp_path) as here:
        here.start()
        for count in (2, 3):
            here.reaches(here.dispatch("Do it."), State.DONE)
            assert starts(here) == count
        assert here.store().fleet.hosts()[0].warning == ""

        claude = Path(here.env()["CW_CLAUDE"])
        shutil.copy2(claude, claude.with_name("next"))
        claude.with_name("next").write_text(claude.read_text() + "# changed\n")
        claude.with_name("next").replace(claude)
        here.reaches(here.dispatch("Do it."), State.DONE)

        assert starts(here) == 5
