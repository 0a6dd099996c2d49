"""A person is told outside of GitHub of what does not move without one: once, whatever breaks."""

from __future__ import annotations

import json
import os
import signal
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.cli.context import load_cli
from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import API_KEY, REHEARSAL, Fleet, remove, short_folder
from tests.standins.receiver import SECRET, Receiver, nobody, receiving
from tests.waiting import wait_until

REPO = "acme/app"
CHAT = '''"""A notifier of somebody else's."""

from pathlib import Path


class Chat:
    def __init__(self, place, secret):
        self.file = Path(place)

    def send(self, notice):
        with self.file.open("a") as file:
            file.write(notice.model_dump_json() + "\\n")
'''


@dataclass(frozen=True)
class Told:
    """A fleet that tells a webhook, one that is away, and a chat of another package."""

    fleet: Fleet
    receiver: Receiver
    chat: Path

    def of(self, task: str) -> list[dict[str, Any]]:
        return [one for one in self.receiver.taken if one["task"] == task]

    def in_chat(self, task: str) -> list[dict[str, Any]]:
        lines = self.chat.read_text("utf-8").splitlines() if self.chat.exists() else []
        return [one for one in map(json.loads, lines) if one["task"] == task]

    def dispatch(self, agent: str, *more: str) -> tuple[int, str]:
        number = self.fleet.github.add_issue(REPO, "Change it", f"rehearse: pace 0.01\n{agent}\n")
        said = self.fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01", *more)
        return number, said["task"]

    def noted(self, task: str) -> bool:
        """That it was told, by the host itself: it waits for the one that is away, and no other."""
        store = load_cli(self.fleet.env()).store
        (host,) = store.fleet.hosts()
        waiting = [one.effect for one in store.notices.pending(host.name)]
        store.connection.close()
        return len([one for one in waiting if one.notice.task == task]) == 1

    def kill_host(self) -> None:
        """The next one is there when this returns."""
        store = load_cli(self.fleet.env()).store
        (host,) = store.fleet.hosts()
        os.kill(host.pid, signal.SIGKILL)
        wait_until(lambda: store.fleet.hosts()[0].pid != host.pid, 60, self.fleet.logs)
        store.connection.close()


def package(folder: Path) -> Path:
    """As pip would install it: a module, and what says which notifier it has."""
    info = folder / "cw_chat-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "cw_chat.py").write_text(CHAT, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cw-chat\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cw.notifiers]\nchat = cw_chat:Chat\n")
    return folder


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    folder = short_folder()
    chat = folder / "chat.jsonl"
    with receiving() as receiver, nobody() as away:
        settings = {
            "CW_NOTIFY_TO": f"{away},{receiver.address},chat:{chat}",
            "CW_NOTIFY_SECRET": SECRET,
            "CW_ACCOUNT_PAUSE": "1",
            "PYTHONPATH": str(package(folder / "packages")),
            "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}",  # what is typed, too
        }
        with running_fleet(REHEARSAL, settings) as fleet:
            yield Told(fleet, receiver, chat)
    remove(folder)


def test_task_that_waits_for_a_person_is_told_once_however_often_its_host_is_killed(
    told: Told,
) -> None:
    told.receiver.answers = [500] * 1000
    number, task = told.dispatch("rehearse: no-change")
    assert told.fleet.finished(task)["outcome"]["reason"] == "no_changes"

    told.kill_host()
    told.receiver.answers = []
    wait_until(lambda: told.of(task) and told.noted(task), 60, told.fleet.logs)
    told.kill_host()
    asked = told.receiver.asked
    _, later = told.dispatch("rehearse: no-change")
    wait_until(lambda: told.of(later), 60, told.fleet.logs)

    (notice,) = told.of(task)
    assert (notice["issue"], notice["what"]) == (number, "failed")
    assert notice["next"] == f"cw logs {task}"
    assert notice["link"].endswith(f"/{REPO}/issues/{number}")
    assert (told.receiver.asked - asked, told.receiver.unsigned) == (1, 0)
    assert told.fleet.github.issue(REPO, number).comments  # GitHub waits for no receiver


def test_receiver_that_answers_500_twice_gets_it_once(told: Told) -> None:
    told.receiver.answers = [500, 500]

    _, task = told.dispatch("rehearse: blocked by a password")

    wait_until(lambda: told.of(task), 60, told.fleet.logs)
    assert told.receiver.answers == []
    assert [one["reason"] for one in told.of(task)] == ["blocked"]


def test_notifier_of_another_package_is_told_as_well(told: Told) -> None:
    _, task = told.dispatch("rehearse: is-error")

    wait_until(lambda: told.in_chat(task), 60, told.fleet.logs)
    wait_until(lambda: told.of(task), 60, told.fleet.logs)
    assert told.in_chat(task) == told.of(task)


def test_what_heals_by_itself_tells_nobody_and_what_was_asked_for_is_told(told: Told) -> None:
    _, healed = told.dispatch("rehearse: api-error 529 once")
    assert told.fleet.finished(healed)["outcome"]["kind"] == "succeeded"
    _, asked = told.dispatch("rehearse: pr", "--notify")
    wait_until(lambda: told.of(asked), 60, told.fleet.logs)

    assert told.of(healed) == told.in_chat(healed) == []
    (notice,) = told.of(asked)
    assert notice["what"] == "succeeded"
    assert "/pull/" in notice["link"]


def test_receiver_that_is_away_is_said_in_status_and_keeps_nothing_from_running(
    told: Told,
) -> None:
    number, task = told.dispatch("rehearse: pr", "--notify")

    assert told.fleet.finished(task)["outcome"]["kind"] == "succeeded"

    def warned() -> bool:
        warnings = " ".join(told.fleet.json("status")["warnings"])
        return "notices wait: webhook:127.0.0.1" in warnings and "cannot be reached" in warnings

    wait_until(warned, 60, told.fleet.logs)
    wait_until(lambda: told.fleet.github.issue(REPO, number).labels == (), 60, told.fleet.logs)


def test_github_that_takes_no_comment_keeps_no_notice_back(told: Told) -> None:
    hub = told.fleet.github
    hub.fault(method="POST", path_regex="/comments$", status=503, times=None)
    number, task = told.dispatch("rehearse: no-change")

    wait_until(lambda: told.of(task), 60, told.fleet.logs)
    assert hub.issue(REPO, number).comments == ()
    hub.clear_faults()
    wait_until(lambda: hub.issue(REPO, number).comments, 60, told.fleet.logs)


def test_token_whose_year_ends_is_told_once_for_all_its_workers(told: Told) -> None:
    end = datetime.now(UTC).date() + timedelta(days=10)
    told.fleet.ok("init", "03", "04")
    for worker in ("03", "04"):
        file = told.fleet.worker(worker) / ".zshenv"
        kept = [line for line in file.read_text("utf-8").splitlines() if API_KEY not in line]
        login = ["export CLAUDE_CODE_OAUTH_TOKEN=one-of-a-year", "export CW_ACCOUNT=team"]
        file.write_text("\n".join([*kept, *login, ""]), "utf-8")

    def row() -> dict[str, Any]:
        rows = [one for one in told.fleet.json("accounts") if one["name"] == "team"]
        return rows[0] if rows and rows[0]["workers"] == ["03", "04"] else {}

    seen = wait_until(row, 60, told.fleet.logs)
    assert (seen["kind"], seen["ending"], told.of("")) == ("subscription", "", [])
    with (told.fleet.worker("04") / ".zshenv").open("a") as zshenv:
        zshenv.write(f"export CW_ACCOUNT_SINCE={end - timedelta(days=365)}\n")

    wait_until(lambda: told.of(""), 60, told.fleet.logs)
    told.kill_host()
    _, later = told.dispatch("rehearse: no-change")
    wait_until(lambda: told.of(later), 60, told.fleet.logs)

    (notice,) = told.of("")
    assert (notice["what"], notice["title"]) == ("ending", "account team")
    assert notice["why"] == f"the year of its token ends in 10 days, on {end}"
    assert notice["next"].endswith("for the .zshenv of 03 04, with CW_ACCOUNT_SINCE")
    assert row()["ends_on"] == str(end)
    assert f"team: {notice['why']} → {notice['next']}" in told.fleet.ok("accounts")
    doctor = told.fleet.cw("doctor").stdout
    assert f"warn  account team: {notice['why']}\n      → {notice['next']}\n" in doctor


def test_unknown_notifier_starts_nothing_and_names_the_known_ones(told: Told) -> None:
    more = {"CW_NOTIFY_TO": "pigeon:home"}

    for args in (("dispatch", "-r", REPO, "-p", "x", "--notify"), ("notify", "test")):
        done = told.fleet.cw(*args, more=more)
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is no notifier 'pigeon'" in done.stderr
        assert "command, webhook" in done.stderr
