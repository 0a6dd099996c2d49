"""`python -m bench.flower [--picture FILE]`: Flower, used by a real browser without a screen.

A whole installation is started, with stand-ins for GitHub and the model; Chromium logs in, reads
the list of tasks, and terminates a live agent. Exit status 0: all of it worked.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    Error,
    Page,
    Response,
    expect,
    sync_playwright,
)

from bench.browsing import every_page, nothing_foreign_runs, overhear
from cw.homes.files import write_private
from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import API_KEY, REHEARSAL, Fleet
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"
NASTY = "Round <img src=x onerror=\"document.title='owned'\"> correctly"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.flower")
    parser.add_argument("--picture", type=Path, help="save a picture of the list of tasks here")
    options = parser.parse_args(argv)
    with running_fleet(REHEARSAL, {"CW_FLOWER_PORT": "5555"}) as fleet, _chromium() as chromium:
        url = (fleet.home / "state" / "flower" / "url").read_text()
        password = (fleet.home / "state" / "flower" / "password").read_text()
        _refused(chromium, url)
        live = _work(fleet)
        context = chromium.new_context(
            http_credentials={"username": "cw", "password": password},
            viewport={"width": 1600, "height": 740},
        )
        page = context.new_page()
        complaints: list[str] = []
        context.on("console", partial(overhear, complaints))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        _listed(page, url, live)
        if options.picture:
            page.screenshot(path=options.picture)
        every_page(page, url, live)
        _say("every page works")
        _terminated(page, url, fleet, live)
        assert complaints == [], complaints
        _say("the browser had nothing to complain of: the policy lets every page work")
        nothing_foreign_runs(page, url, complaints)
        _say("scripts that are not Flower's do not run, and no page is shown in a frame")
    print("flower: all of it worked")
    return 0


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if not path:
        raise SystemExit("flower: needs Chromium (apt install chromium), or its path in CHROMIUM")
    with sync_playwright() as playwright:
        sandbox = [] if os.getuid() else ["--no-sandbox"]  # root has none
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()


def _refused(chromium: Browser, url: str) -> None:
    """A browser without the password, and one with a wrong one."""
    logins: list[Any] = [None, {"username": "cw", "password": "guess"}]
    for login in logins:
        page = chromium.new_context(http_credentials=login).new_page()
        heard: list[int] = []
        page.on("response", partial(_note, heard))
        with suppress(Error):  # how Chromium puts it that a password was wrong
            page.goto(f"{url}/tasks")
        assert set(heard) == {401}, heard
    _say("refused without the password")


def _note(heard: list[int], answer: Response) -> None:
    heard.append(answer.status)


def _work(fleet: Fleet) -> str:
    """Tasks in several states. Returns the id of the one that hangs, on 01."""
    own = fleet.worker("02") / ".zshenv"  # an account of its own: its limit is not 01's
    write_private(own, own.read_text("utf-8").replace(API_KEY, f"{API_KEY}-2").encode())
    done = [
        _dispatch(fleet, "Add a discount", f"{FAST}rehearse: pr\n", "01"),
        _dispatch(fleet, NASTY, FAST, "02"),
        _dispatch(fleet, "Retry on 503", f"{FAST}rehearse: no-change\n", "02"),
    ]
    for one in done:
        fleet.finished(one)
    live = _dispatch(fleet, "Cache the index", f"{FAST}rehearse: hang\n", "01")
    wait_until(lambda: "sleep infinity" in fleet.cw("inspect", live).stdout, 60, fleet.logs)
    later = int(time.time()) + 7200
    held = _dispatch(fleet, "Split the job", f"{FAST}rehearse: usage-limit {later}\n", "02")
    _dispatch(fleet, "Name the tests", FAST, "01")
    wait_until(lambda: fleet.json("status")["held"], 60, fleet.logs)
    assert fleet.json("status")["held"][0]["about"]["task"] == held
    return live


def _dispatch(fleet: Fleet, title: str, body: str, worker: str) -> str:
    number = fleet.github.add_issue("acme/app", title, body)
    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
    return str(said["task"])


def _listed(page: Page, url: str, live: str) -> None:
    _shows(page, f"{url}/tasks", "deferred · usage_limit")
    row = page.locator(f'[id="{live}"]')
    expect(row).to_contain_text("acme/app#6 · 01 · sonnet", timeout=15_000)
    expect(row).to_contain_text("STARTED")
    table = page.locator("#tasks-table tbody")
    for words in ("succeeded · PR #", "failed · no_changes", "deferred · usage_limit"):
        expect(table).to_contain_text(words)
    for state in ("SUCCESS", "FAILURE", "RETRY", "RECEIVED"):
        expect(table).to_contain_text(state)
    _say("lists tasks by issue, worker and model, with state and outcome")


def _terminated(page: Page, url: str, fleet: Fleet, live: str) -> None:
    before = _agents(fleet)
    assert before
    page.goto(f"{url}/task/{live}")
    page.click("#task-terminate")
    expect(page.locator(".toast-body")).to_contain_text(
        "was reset; worker 01 is free", timeout=60_000
    )
    assert not before & _agents(fleet)
    wait_until(lambda: fleet.json("status", "01")["workers"][0]["state"] == "idle", 60, fleet.logs)
    for one in fleet.json("history"):
        page.goto(f"{url}/task/{one['task']}")
        assert page.title().endswith("Flower"), page.title()  # no title of an issue ran as a script
    _shows(page, f"{url}/task/{live}", "REVOKED")
    _say("Terminate ended a live agent, and its worker went on to the next task")


def _shows(page: Page, url: str, words: str) -> None:
    """A page is of the moment at which it was asked for."""

    def shown() -> bool:
        page.goto(url)
        page.wait_for_load_state("networkidle")
        return words in page.inner_text("body")

    wait_until(shown, 60, words)


def _agents(fleet: Fleet) -> set[str]:
    """Processes that work in 01's HOME."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "cwd").readlink().is_relative_to(fleet.worker("01")):
                found.add(path.name)
    return found


def _say(text: str) -> None:
    print(f"flower: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
