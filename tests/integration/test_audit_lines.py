"""What is written down of commands, and `cw audit verify` when the broker knows nothing of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cw.audit import Audit, Entry, Head, entries, verify
from cw.fleet_models import Worker
from cw.keyring import load_keyring, make_keyring
from cw.settings import load_settings
from cw.store import keys
from cw.store.store import Store, open_store
from tests.conftest import Cw, make_repo
from tests.integration.networked import free_port
from tests.walls import AROUND_REHEARSAL

STRANGER = make_keyring(["somebody else's key, 32 characters"])
SECRET = "ghp_secretsecretsecretsecret"
Harm = Callable[[Store], None]


@pytest.fixture
def fleet(cw: Cw, cw_environ: dict[str, str], redis_url: str) -> Iterator[Store]:
    """Three lines at this machine, the last of which the broker knows."""
    cw_environ["CW_BROKER_URL"] = redis_url
    for worker in ("01", "02", "03"):
        assert cw("init", worker).returncode == 0
    store = open_store(redis_url, load_keyring(load_settings(cw_environ)[0]))
    yield store
    store.connection.close()


def lines(folder: Path) -> list[Entry]:
    return list(entries(folder / "state" / "audit" / "here.jsonl"))


def _deleted(store: Store) -> None:
    store.connection.client.delete(keys.AUDIT)


def _forged(store: Store) -> None:
    store.connection.client.hset(keys.AUDIT, "here", STRANGER.seal("audit", ["here", 1, "0" * 64]))


def _of_another_host(store: Store) -> None:
    store.audit.keep("elsewhere", Head(1, "0" * 64))
    client = store.connection.client
    client.hset(keys.AUDIT, "here", client.hget(keys.AUDIT, "elsewhere"))


@pytest.mark.parametrize(
    "harm", [_deleted, _forged, _of_another_host], ids=lambda one: one.__name__
)
def test_broker_without_a_genuine_last_line_is_a_doubt(
    cw: Cw, fleet: Store, tmp_path: Path, harm: Harm
) -> None:
    good = cw("audit", "verify")
    harm(fleet)
    path = tmp_path / "state" / "audit" / "here.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    plain, machine = cw("audit", "verify"), cw("audit", "verify", "--json")

    assert (good.returncode, "3 lines, all" in good.stdout) == (0, True)
    assert (plain.returncode, "may be missing at the end" in plain.stdout) == (1, True)
    assert machine.returncode == 1
    assert json.loads(machine.stdout)["lines"] == 2
    cw("init", "04")
    assert cw("audit", "verify").returncode == 0  # the next line is told


def test_machine_without_any_line_is_no_doubt(cw: Cw, redis_url: str) -> None:
    assert cw("audit", "verify", CW_BROKER_URL=redis_url).returncode == 0


def test_init_is_written_down_without_what_it_copies(
    cw: Cw, cw_environ: dict[str, str], tmp_path: Path
) -> None:
    cw_environ["GH_TOKEN"] = SECRET
    made = cw("init", "01..02")
    refused = cw("init", "02")

    assert (made.returncode, refused.returncode) == (0, 2)
    (line,) = lines(tmp_path)
    assert (line.what, line.facts) == ("init", {"ids": "01..02"})
    assert line.by.endswith("@here")
    assert SECRET not in (tmp_path / "state" / "audit" / "here.jsonl").read_text("utf-8")


def test_up_and_down_are_written_down(cw: Cw, cw_environ: dict[str, str], tmp_path: Path) -> None:
    """Not the second `cw up -d`: that started nothing."""
    cw_environ |= {
        "CW_FLOWER_PORT": "0",
        "CW_CLAUDE": "/bin/true",
        "CW_ISOLATION": AROUND_REHEARSAL,
    }
    try:
        up = [cw("up", "-d", "--no-flower") for _ in range(2)]
        assert [one.returncode for one in up] == [0, 0], up[0].stderr
    finally:
        down = cw("down")

    assert down.returncode == 0
    assert [(one.what, one.facts) for one in lines(tmp_path)] == [
        ("up", {"detach": True}),
        ("down", {}),
    ]
    assert verify(tmp_path / "state" / "audit" / "here.jsonl", None).bad == 0


def test_password_file_is_named_only_where_there_is_one(
    cw: Cw, cw_environ: dict[str, str], tmp_path: Path
) -> None:
    cw_environ |= {"CW_CLAUDE": "/bin/true", "CW_ISOLATION": AROUND_REHEARSAL}
    chosen = {"CW_FLOWER_PASSWORD": "chosen-by-me", "CW_FLOWER_PORT": str(free_port())}
    try:
        up = cw("up", "-d", **chosen)
        again = json.loads(cw("up", "-d", "--json", **chosen).stdout)
        assert up.returncode == 0, up.stderr
    finally:
        cw("down")

    assert "user cw, password as you set it" in up.stdout
    assert again["flower"]["password_file"] == ""
    assert not (tmp_path / "state" / "flower" / "password").exists()
    assert "chosen-by-me" not in up.stdout + up.stderr + json.dumps(again)


def test_lines_are_sentences_and_not_python(cw: Cw, fleet: Store, tmp_path: Path) -> None:
    fleet.fleet.register_worker(Worker(id="01", host="there", home="/nowhere/01"))
    make_repo(tmp_path / "app")
    assert cw("dispatch", "-r", "./app", "-i", "7", "-w", "01", "-p", "Do it").returncode == 0
    for typed in (
        ("pause", "01", "--note", "a new disk"),
        ("resume", "--all"),
        ("stop", "#7"),
        ("reset", "01", "--force"),
    ):
        assert cw(*typed).returncode == 0, typed

    text = cw("audit").stdout

    said = [one.split(" ", 3)[3] for one in text.splitlines()]
    assert said[2] == "typed: cw init 03"
    assert said[3].startswith("dispatched app#7 (task 0")
    assert " to worker 01, model sonnet, prompt " in said[3]
    assert said[4:7] == [
        "typed: cw pause 01 --note a new disk",
        "typed: cw resume --all",
        "typed: cw stop #7",
    ]
    assert said[7] == "typed: cw reset 01 --force"
    assert not [one for one in ("None", "True", "('", "Target", "=") if one in text]


def test_lines_of_before_are_sentences_too(cw: Cw, tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit" / "here.jsonl"
    audit = Audit(path, lambda _: None)
    audit.add("reset", "me@here", ids="('01', '02')", force="True", everyone=False)
    audit.add("resume", "me@here", ids="()", everyone="True", error="KeyboardInterrupt")
    audit.add("started", "me@here", task="T1", issue="a/b#1", worker="01", attempt=2, model="opus")
    ended = {"outcome": "failed", "reason": "no_changes", "commits": 0, "branch": "issue-1"}
    audit.add(
        "ended",
        "me@here",
        task="T1",
        worker="01",
        attempt=2,
        **ended,
        pushed=True,
        pr="",
        cost_usd=1.5,
        recorded=True,
    )

    said = [one.split(" ", 3)[3] for one in cw("audit").stdout.splitlines()]

    assert said == [
        "typed: cw reset 01 02 --force",
        "typed: cw resume --all, which failed (KeyboardInterrupt)",
        "has a/b#1 (task T1) run on worker 01, attempt 2, model opus",
        "had task T1 run on worker 01, attempt 2, which ended: failed (no_changes); $1.50",
    ]


def test_command_shows_and_verifies(cw: Cw, tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit" / "here.jsonl"
    assert cw("audit").stdout == "nothing yet\n"
    audit = Audit(path, lambda _: None)
    for number in range(3):
        audit.add("dispatched", "me@here", task=f"T{number}", title="ünï\n😀")

    assert "dispatched task T2 to the first free worker" in cw("audit", "-n", "1").stdout
    assert [one["n"] for one in json.loads(cw("audit", "show", "--json").stdout)] == [1, 2, 3]
    good = cw("audit", "verify")
    path.write_bytes(path.read_bytes().replace(b'"T1"', b'"T7"'))
    bad = cw("audit", "verify", "--json")

    assert (good.returncode, "3 lines" in good.stdout) == (0, True)
    assert bad.returncode == 1
    assert json.loads(bad.stdout) == {"lines": 2, "bad": 2, "why": "it was changed"}
