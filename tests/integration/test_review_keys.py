"""`cw review` at a terminal: one key for each thing, no Enter."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Cw
from tests.integration.following import Road
from tests.integration.test_follow_pulls import PERSON, REPO, hands, hub, road
from tests.integration.test_merge import merged, names, ready
from tests.integration.test_review import head, pull
from tests.standins.github import GitHubStandIn
from tests.terminal import Terminal, plain

__all__ = ["hands", "hub", "road"]  # fixtures

KEYS = "d diff  a approve  m merge  c changes  x close  o open  s skip  q quit  ?: "


@pytest.fixture
def env(road: Road, cw_environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Of the owner, without a pager, at 90 columns."""
    return cw_environ | road.env() | {"GH_TOKEN": f"{PERSON}-token", "GIT_PAGER": "cat"}


class Desk:
    """The terminal, and how often its keys were asked for."""

    def __init__(self, screen: Terminal) -> None:
        self.screen = screen
        self._asked = 0

    def press(self, key: str) -> None:
        """Once it asks for one."""
        self.asks()
        self.screen.type(key)

    def asks(self) -> None:
        self._asked += 1
        self.screen.wait_for(KEYS, self._asked)

    def end(self) -> tuple[int, list[str]]:
        """Exit status, and the lines of the table."""
        code = self.screen.finish()
        lines = plain(self.screen.text).splitlines()
        begin = max(at for at, line in enumerate(lines) if line.startswith("pull request"))
        return code, [" ".join(line.split()) for line in lines[begin + 1 :]]


@contextmanager
def sitting(env: dict[str, str], *typed: str) -> Iterator[Desk]:
    with Terminal(env, "review", *typed, columns=90) as screen:
        yield Desk(screen)


def editor(tmp_path: Path, text: str) -> str:
    """That writes this before what is there."""
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "editor"
    path.write_text(
        f'#!/bin/sh\n{{ printf "%s" "{text}"; cat "$1"; }} >"$1.new"; mv "$1.new" "$1"\n'
    )
    path.chmod(0o755)
    return str(path)


def test_ten_are_worked_off_and_seven_merged_in_an_order_without_conflicts(
    road: Road, hub: GitHubStandIn, cw: Cw, env: dict[str, str]
) -> None:
    """Two of them change what three others change: they come last."""
    hub.require(REPO, review=False)
    wide = dict.fromkeys(("f0", "f1", "f2"), "2\n")
    one, other, *narrow = ready(road, wide, wide, *({f"f{at}": "1\n"} for at in range(8)))
    order = [*narrow[3:], *narrow[:3], one, other]

    with sitting(env, "--message", "Test it") as desk:
        for key in "mmmmmammcmsx":
            desk.press(key)
        desk.screen.wait_for(f"Close {REPO}#{other} without merging it? [y/N] ")
        desk.screen.type("y")
        code, table = desk.end()

    name = {number: f"{REPO}#{number}" for number in order}
    assert table == [
        *(f"{name[number]} merged" for number in order[:5]),
        f"{name[order[5]]} approved, merged",
        f"{name[order[6]]} merged",
        f"{name[order[7]]} changes asked for",
        f"{name[one]} nothing needs you: it conflicts with main cw review {name[one]}",
        f"{name[other]} closed",
    ]
    assert code == 1  # one was tried in vain
    assert merged(hub) == set(order[:7])
    assert f"{name[one]} is not merged: needs you: it conflicts with main" in desk.screen.text
    lines = json.loads(road.cw(cw, "audit", "--json").stdout)
    assert [line["facts"]["target"] for line in lines] == [
        *(name[number] for number in order[:6]),
        *(name[number] for number in (*order[5:8], other)),
    ]


def test_what_is_read_before_a_key_is_pressed(
    road: Road, hub: GitHubStandIn, env: dict[str, str]
) -> None:
    first, second = ready(road, {"a": "1\n"}, {"a": "1\n", "b": "\x1b]0;evil\x07x\x9b31m\n"})
    record, title = road.record(second), road.record_task(second).spec.title

    with sitting(env, str(second), str(first)) as desk:
        desk.press("s")
        desk.press("q")
        desk.screen.finish()

    shown = plain(desk.screen.text)
    for line in (
        f"{REPO}#{second} · Fix it · 2 of 2",
        f"issue      #{record.issue} {title}",
        f"           http://github.localhost/{REPO}/issues/{record.issue}",
        f"link       http://github.localhost/{REPO}/pull/{second}",
        "state      ready: a look, and the merge",
        "checks     none",
        "diff       +2 -0 in 2 files, into main",
        "work       worker 01, $0.50, no repairs, ",
        f"same files as #{first}",
        "+x",
    ):
        assert line in shown
    assert "\x1b]" not in desk.screen.text
    assert "\x9b" not in desk.screen.text


def test_keys_mean_what_the_line_says(
    road: Road, hub: GitHubStandIn, env: dict[str, str], tmp_path: Path
) -> None:
    """Those that change nothing: they ask again for the same one."""
    first, second = ready(road, {"a": "1\n"}, {"b": "1\n"})
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}\n')
    browser.chmod(0o755)

    with sitting(env | {"BROWSER": str(browser)}) as desk:
        desk.press("d")
        desk.press("?")
        desk.press("o")
        desk.press("x")
        desk.screen.wait_for("[y/N] ")
        desk.screen.type("n")
        desk.asks()
        desk.screen.type("z")
        desk.screen.wait_for("'z' is no key here")
        desk.press("\x1b[A")  # an arrow is one key
        desk.screen.wait_for("is no key here", 2)
        desk.press("s")
        desk.press("\x04")
        code, table = desk.end()

    text = plain(desk.screen.text)
    assert text.count("diff --git a/a b/a") == 2
    assert "m  as cw merge does: refused when it is not ready, or its head moved (squash)" in text
    assert opened.read_text() == f"http://github.localhost/{REPO}/pull/{first}\n"
    assert text.count("is no key here") == 2
    assert code == 0
    assert table == [
        f"{REPO}#{number} skipped cw review {REPO}#{number}" for number in (first, second)
    ]
    assert (merged(hub), pull(hub, first).said) == (set(), [])


def test_without_a_browser_the_address_is_said(road: Road, env: dict[str, str]) -> None:
    (number,) = ready(road, {"a": "1\n"})

    with sitting(env | {"BROWSER": "/nowhere/browser"}) as desk:
        desk.press("o")
        desk.press("q")
        desk.screen.finish()

    assert f"http://github.localhost/{REPO}/pull/{number}" in desk.screen.text


def test_changes_are_written_in_the_editor(
    road: Road, hub: GitHubStandIn, env: dict[str, str], tmp_path: Path
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    nothing, words = editor(tmp_path, ""), editor(tmp_path / "words", "# Test it")

    with sitting(env | {"VISUAL": nothing, "TMPDIR": str(tmp_path)}) as desk:
        desk.press("c")
        desk.screen.wait_for("no text, so nothing is sent")
        desk.press("q")
        desk.screen.finish()
    with sitting(env | {"VISUAL": words, "TMPDIR": str(tmp_path)}) as desk:
        desk.press("c")
        code, table = desk.end()

    assert pull(hub, number).said == [(PERSON, "CHANGES_REQUESTED", head(hub, number), "# Test it")]
    assert (code, table) == (0, [f"{REPO}#{number} changes asked for"])
    assert list(tmp_path.glob("cw-review-*")) == []


def test_own_pull_request_gets_a_thread_if_that_is_wanted_and_no_text_is_lost(
    road: Road, hub: GitHubStandIn, env: dict[str, str], tmp_path: Path
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    mine = env | {"GH_TOKEN": "", "VISUAL": editor(tmp_path, "Test it"), "TMPDIR": str(tmp_path)}

    with sitting(mine) as desk:
        desk.press("c")
        desk.screen.wait_for("[Y/n] ")
        desk.screen.type("n")
        desk.press("q")
        desk.screen.finish()
    before = list(pull(hub, number).threads)
    (kept,) = tmp_path.glob("cw-review-*")
    with sitting(mine) as desk:
        desk.press("c")
        desk.screen.wait_for("[Y/n] ")
        desk.screen.type("\n")
        code, _ = desk.end()

    assert before == []
    assert "Test it" in kept.read_text()
    assert [thread.comment.body for thread in pull(hub, number).threads] == ["Test it"]
    assert code == 0
    assert f"{REPO}#{number} has a request for changes, as a thread about its first file" in (
        plain(desk.screen.text)
    )


def test_head_that_moved_while_it_was_read_is_not_acted_on_until_it_is_shown(
    road: Road, hub: GitHubStandIn, env: dict[str, str]
) -> None:
    (number,) = ready(road, {"a": "1\n"})

    with sitting(env) as desk:
        desk.asks()
        new = hub.add_commit(REPO, road.branch(number), {"b": "1\n"}, actor="helper")
        desk.screen.type("a")
        desk.press("d")
        desk.press("a")
        desk.press("q")
        code, _ = desk.end()

    assert f"{REPO}#{number} is not approved: its head is another one than was shown" in (
        desk.screen.text
    )
    assert "diff --git a/b b/b" in plain(desk.screen.text)
    assert pull(hub, number).said == [(PERSON, "APPROVED", new, "")]
    assert code == 0


def test_what_was_refused_is_in_the_table_with_what_to_type_next(
    road: Road, hub: GitHubStandIn, env: dict[str, str]
) -> None:
    red, gone = road.pull(), road.pull()
    hub.check(REPO, road.branch(red), "test", "failure")
    road.follow(timedelta(minutes=6))
    road.age(red)
    hub.close_issue(REPO, gone)

    with sitting(env, *names([red, gone])) as desk:
        desk.press("m")
        desk.press("q")
        code, table = desk.end()

    assert code == 1
    assert table == [
        f"{REPO}#{red} nothing needs you: red: CI / test cw review {REPO}#{red}",
        f"{REPO}#{gone} nothing it is closed already",
    ]


def test_ctrl_c_ends_it_with_what_was_done(
    road: Road, hub: GitHubStandIn, env: dict[str, str]
) -> None:
    first, second = ready(road, {"a": "1\n"}, {"b": "1\n"})

    with sitting(env) as desk:
        desk.press("m")
        desk.asks()
        desk.screen.process.send_signal(signal.SIGINT)
        code, table = desk.end()

    assert code == 130
    assert table == [
        f"{REPO}#{first} merged",
        f"{REPO}#{second} skipped cw review {REPO}#{second}",
    ]


def test_nothing_that_is_ready_is_said(road: Road, env: dict[str, str]) -> None:
    with Terminal(env, "review") as screen:
        code = screen.finish()

    assert (code, plain(screen.text)) == (
        0,
        "nothing is ready for you. What the others wait for: cw prs\n",
    )
