"""Bad input: one clear line, exit 2 (4: something is away), and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator

import pytest

from tests.acceptance.fleet import Fleet, remove, short_folder

TWO_MEGABYTES = b"x" * (2 << 20)


@pytest.fixture
def idle_fleet(fleet: Fleet) -> Iterator[Fleet]:
    """Checks that whatever was typed left nothing behind."""
    before = state(fleet)
    yield fleet
    assert state(fleet) == before


def state(fleet: Fleet) -> tuple[object, ...]:
    overview = fleet.json("status")
    return (
        overview["waiting"],
        overview["held"],
        len(fleet.json("history")),
        sorted(one.name for one in fleet.workers.iterdir()),
        [one.labels for one in fleet.github.issues("acme/app")],
    )


def check_refused(fleet: Fleet, *typed: str, code: int = 2, says: str, stdin: bytes = b"") -> None:
    done = fleet.cw(*typed, stdin=stdin or None)

    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("-r", "acme/app", "-i", "abc"), "issue number"),
        (("-r", "acme/app", "-i", "0"), "issue number"),
        (("-r", "acme/app", "-i", "-3"), "issue number"),
        (("-r", "../x", "-p", "do it"), "not a git repository"),
        (("-r", "owner/repo;rm", "-i", "1"), "not a repository"),
        (("-r", "", "-i", "1"), "not a repository"),
        (("-r", "https://bot:secret@github.localhost/acme/app", "-i", "1"), "credential"),
        (("-r", "acme/app"), "nothing to do"),
        (("-r", "acme/app", "-i", "1", "-w", "99"), "no worker 99"),
        (("-r", "acme/app", "-i", "1", "-w", "../../etc"), "not a worker id"),
        (("-r", "acme/app", "-i", "1", "-m", "gpt"), "not a model"),
        (("-r", "acme/app", "-i", "999999"), "issue"),
        (("-r", "acme/nothing", "-i", "1"), "acme/nothing"),
        (("-r", "acme/app", "-p", ""), "prompt is empty"),
        (("-r", "acme/app", "-p", "/review it"), "slash command"),
        (("-r", "acme/app", "--nonsense"), "--nonsense"),
        (("-r", "acme/app", "-i"), "cw dispatch --help"),
        (("-r", "acme/app", "-i", "1", "-t", "a b"), "not a tag"),
        (("-r", "acme/app", "-i", "1", "-t", "gpu"), "Tags of the fleet: none"),
    ],
)
def test_dispatch_of_what_cannot_be_done_says_so(
    idle_fleet: Fleet, typed: tuple[str, ...], says: str
) -> None:
    check_refused(idle_fleet, "dispatch", *typed, says=says)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("host",), "cw host --help"),
        (("host", "join", "nonsense"), "no address of a broker"),
        (("host", "join", "rediss://h:p@127.0.0.1:1/0", "--key", "/nowhere"), "cannot be read: No"),
        (("host", "join", "rediss://h:p@127.0.0.1:1/0", "--name", "../x"), "host.name"),
        (("host", "join", "rediss://h:p@127.0.0.1:1/0", "--tags", "a;b"), "host.tags"),
        (("host", "forget", "nowhere"), "no host nowhere"),
        (("host", "leave"), "cw down"),
        (("refresh", "77"), "no worker 77"),
        (("audit", "verify", "all"), "cw audit --help"),
        (("statsu",), "cw status"),
    ],
)
def test_what_other_commands_cannot_use_is_said_in_one_line(
    idle_fleet: Fleet, typed: tuple[str, ...], says: str
) -> None:
    check_refused(idle_fleet, *typed, says=says)


@pytest.mark.parametrize(
    ("prompt", "says"),
    [(b"a\0b", "NUL"), (TWO_MEGABYTES, "1,048,576 bytes"), (b"\xff\xfe", "UTF-8")],
)
def test_prompt_that_cannot_reach_an_agent_whole_is_refused(
    idle_fleet: Fleet, prompt: bytes, says: str
) -> None:
    check_refused(idle_fleet, "dispatch", "-r", "acme/app", stdin=prompt, says=says)


@pytest.mark.parametrize("typed", ["../../etc", "A", "", "-x", "a" * 33, "a/b", "a b", "é"])
def test_init_of_an_impossible_id_makes_nothing(idle_fleet: Fleet, typed: str) -> None:
    check_refused(idle_fleet, "init", "--", typed, says="worker id")


def test_init_of_an_existing_worker_changes_nothing(idle_fleet: Fleet) -> None:
    rules = idle_fleet.worker("01") / ".claude" / "CLAUDE.md"
    before = rules.read_bytes()

    check_refused(idle_fleet, "init", "01", says="01")

    assert rules.read_bytes() == before


def test_dispatch_without_a_token_says_how_to_give_one(idle_fleet: Fleet) -> None:
    done = idle_fleet.cw("dispatch", "-r", "acme/app", "-i", "1", more={"GH_TOKEN": ""})

    assert done.returncode == 2
    assert "GH_TOKEN" in done.stderr
    assert done.stderr.count("\n") == 1


def test_wrong_token_is_said_to_be_wrong(idle_fleet: Fleet) -> None:
    done = idle_fleet.cw("dispatch", "-r", "acme/app", "-i", "1", more={"GH_TOKEN": "ghp_wrong"})

    assert done.returncode == 2
    assert "does not accept the token" in done.stderr


def test_github_away_is_exit_4_and_leaves_no_claim(fleet: Fleet) -> None:
    number = fleet.github.add_issue("acme/app", "Later", "rehearse: pace 0.01\n")
    fleet.github.fault(path_regex=f"/issues/{number}", status=503, times=50)

    check_refused(fleet, "dispatch", "-r", "acme/app", "-i", str(number), code=4, says="GitHub")

    fleet.github.clear_faults()
    fleet.finished(fleet.json("dispatch", "-r", "acme/app", "-i", str(number))["task"])
    assert fleet.github.pulls("acme/app")


def test_label_that_fails_withdraws_the_whole_dispatch(fleet: Fleet) -> None:
    number = fleet.github.add_issue("acme/app", "Later", "rehearse: pace 0.01\n")
    fleet.github.fault(method="POST", path_regex=f"/issues/{number}/labels", status=502, times=50)
    typed = ("dispatch", "-r", "acme/app", "-i", str(number), "-w", "02")

    check_refused(fleet, *typed, code=4, says="GitHub")

    fleet.github.clear_faults()
    assert fleet.json("status")["waiting"] == []
    fleet.finished(fleet.json(*typed)["task"])
    assert [one.head for one in fleet.github.pulls("acme/app")].count(f"issue-{number}") == 1


def test_foreign_label_is_respected(fleet: Fleet) -> None:
    number = fleet.github.add_issue("acme/app", "Taken", "x", labels=["worker:77"])

    typed = ("dispatch", "-r", "acme/app", "-i", str(number))

    check_refused(fleet, *typed, code=3, says="worker:77")


@pytest.mark.parametrize(
    "typed", [("status",), ("watch", "01"), ("dispatch", "-r", ".", "-p", "x")]
)
def test_without_a_broker_the_line_says_what_to_start(typed: tuple[str, ...]) -> None:
    home = short_folder()
    env = {"HOME": str(home), "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"}
    try:
        subprocess.run(["git", "init", "-q", str(home)], check=True, env=env)

        done = subprocess.run(
            ["cw", *typed],
            env=env,
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.count("\n") == 1
        assert "cw up" in done.stderr
    finally:
        remove(home)
