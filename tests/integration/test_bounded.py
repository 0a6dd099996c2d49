"""A command of the host's on what agents made ends by itself, and so does what it says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cw.errors import UnavailableError
from tests.needs import require
from workerhost.clones.bounded import Feeding, Limits, bounded
from workerhost.clones.done import Done

ENV = {"PATH": os.environ["PATH"]}
LINUX = sys.platform == "linux"


def done(script: str, source: bytes = b"", **limits: int) -> Done:
    return bounded(
        ["/bin/sh", "-c", script],
        cwd=Path("/"),
        env=ENV,
        limits=Limits(**{"seconds": 20, **limits}),
        feeding=Feeding(source=source),
    )


def test_what_it_says_is_kept() -> None:
    assert done("echo a; echo b >&2") == Done(ok=True, out="a\n", err="b")


def test_what_it_is_given_it_reads() -> None:
    text = b"x" * 300_000

    assert done("wc -c", text).out.strip() == "300000"


def test_failure_is_told() -> None:
    assert done("echo fatal: no >&2; exit 3") == Done(ok=False, out="", err="fatal: no")


@pytest.mark.parametrize(
    ("script", "limits", "said"),
    [
        ("exec yes", {"text": 1000}, "bytes of output"),
        ("exec yes", {"entries": 10}, "entries"),
        ("exec sleep 600", {"seconds": 1}, "more than 1 s"),
        ("sleep 600 & exec true", {"seconds": 1}, "more than 1 s"),
        ("exec true", {"seconds": 0}, "the time for all of it"),
    ],
)
def test_what_has_no_end_is_ended(script: str, limits: dict[str, int], said: str) -> None:
    found = done(script, b"", **limits)

    assert said in found.over
    assert not found.ok
    assert len(found.out) <= 1000 if "text" in limits else True


def test_end_of_what_starts_them_is_no_end_of_theirs() -> None:
    """Nobody takes a fork server that somebody killed for what a clone makes git do."""
    with pytest.raises(UnavailableError, match="fork server"):
        done("kill -9 $PPID; sleep 600")

    assert done("echo a").out == "a\n"


def test_memory_is_bounded() -> None:
    require(LINUX, "limits of Linux")
    grow = f"{sys.executable} -c 'bytearray(300 << 20)'"
    said = f"{grow} || {{ echo fatal: Out of memory >&2; exit 128; }}"

    assert done(said).ok
    assert done(said, memory_mb=64).over == "more than 64 MB of memory"


def test_kernel_takes_it_before_the_host() -> None:
    require(LINUX, "the kernel's choice when memory ends")

    assert done("cat /proc/self/oom_score_adj").out == "1000\n"
