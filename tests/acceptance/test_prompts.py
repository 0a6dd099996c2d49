"""A prompt reaches the agent whole, and a path repository gets its branch back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.fleet import Fleet

FAST = "rehearse: pace 0.01\n"
ODD = "--help \"double\" 'single' `tick` $HOME \\n emoji 🙂👩‍👩‍👧 dash — \r\n\ttab\n\n"


@pytest.fixture(scope="module")
def shop(fleet: Fleet) -> Path:
    """A repository on this machine, with a working tree."""
    path = fleet.home / "shop"
    path.mkdir(exist_ok=True)
    git(path, "init", "-q", "-b", "main")
    (path / "price.py").write_text("PRICE = 1\n")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Start")
    return path


def git(at: Path, *args: str) -> str:
    who = ["-c", "user.name=Owner", "-c", "user.email=owner@acme.invalid"]
    done = subprocess.run(["git", *who, *args], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_megabyte_of_odd_text_arrives_byte_for_byte(fleet: Fleet, shop: Path) -> None:
    head = f"{FAST}rehearse: echo\n{ODD}".encode()
    prompt = head + ODD.encode() * ((1 << 20) // len(ODD.encode()) - 2)

    said = fleet.json("dispatch", "-r", str(shop), "-w", "01", stdin=prompt)
    end = fleet.finished(said["task"])["outcome"]

    assert end["kind"] == "succeeded", fleet.logs()
    assert len(prompt) > 1_000_000
    assert (fleet.worker("01") / "tmp" / "prompt.received").read_bytes() == prompt


def test_prompt_with_leading_dashes_is_text_not_options(fleet: Fleet, shop: Path) -> None:
    said = fleet.json("dispatch", "-r", str(shop), "-w", "01", "-p", f"--help me\n{FAST}")

    assert fleet.finished(said["task"])["outcome"]["kind"] == "succeeded"


def test_branch_is_pushed_back_to_a_path_repository(fleet: Fleet, shop: Path) -> None:
    tree = (git(shop, "status", "--porcelain"), git(shop, "rev-parse", "HEAD"))

    said = fleet.json("dispatch", "-r", "./shop", "-i", "5", "-p", f"Change it\n{FAST}")
    end = fleet.finished(said["task"])["outcome"]

    assert (end["kind"], end["branch"]) == ("succeeded", "issue-5")
    assert git(shop, "rev-parse", "issue-5") == end["head"]
    assert (git(shop, "status", "--porcelain"), git(shop, "rev-parse", "HEAD")) == tree


def test_agent_gets_the_allowed_environment_and_nothing_else(fleet: Fleet, shop: Path) -> None:
    said = fleet.json("dispatch", "-r", str(shop), "-w", "02", "-p", f"{FAST}rehearse: env\n")

    fleet.finished(said["task"])

    received = (fleet.worker("02") / "tmp" / "env.received").read_text(encoding="utf-8")
    assert "GH_TOKEN" in received
    assert not [name for name in fleet.env() if name.startswith("CW_") and name in received]


def test_when_every_worker_is_busy_the_pool_says_the_place(fleet: Fleet, shop: Path) -> None:
    busy = [
        fleet.json("dispatch", "-r", str(shop), "-w", worker, "-p", f"rehearse: slow 6\n{FAST}")
        for worker in ("01", "02")
    ]
    waiting = [
        fleet.json("dispatch", "-r", str(shop), "-p", f"Number {number}\n{FAST}")
        for number in range(2)
    ]

    ends = [fleet.finished(one["task"])["outcome"]["kind"] for one in (*busy, *waiting)]

    assert ends == ["succeeded"] * 4
    assert [one["place"] for one in waiting] == [1, 2]
    assert [one["queue"] for one in waiting] == ["workers", "workers"]
