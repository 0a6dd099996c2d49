"""What each file of tests takes, and at the end the ten that take most: growth is seen.

CPU time is that of pytest's process and of what it started and has seen end. What it left in the
background is not in it, hosts and the agents under them: two to eight times as much. Whether tests
wait or work, and more processes would help, is told by how busy the whole machine was.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field

import psutil
import pytest

from tests.forking import loader

_SHOWN = 10
_NAME = "cost"


@dataclass
class Cost:
    """`seconds` on the clock, `cpu` seconds."""

    tests: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


def dearest(files: Mapping[str, Cost]) -> Iterable[str]:
    """Lines for people. Nothing for a few files: who runs these knows what they take."""
    if len(files) <= _SHOWN:
        return
    yield f"{'seconds':>8} {'CPU':>6} {'tests':>6}"
    for name, one in sorted(files.items(), key=lambda pair: -pair[1].seconds)[:_SHOWN]:
        yield f"{one.seconds:8.0f} {one.cpu:6.0f} {one.tests:6}  {name}"
    whole = files.values()
    seconds, cpu = sum(one.seconds for one in whole), sum(one.cpu for one in whole)
    yield f"{seconds:8.0f} {cpu:6.0f} {sum(one.tests for one in whole):6}  all {len(files)} files"


@dataclass(frozen=True, slots=True)
class Cores:
    """Seconds of all cores of this machine since it began: those that passed, and the busy ones."""

    passed: float
    busy: float

    def words(self, since: Cores) -> str:
        share = (self.busy - since.busy) / max(self.passed - since.passed, 0.01)
        return f"all cores of the machine were busy for {share:.0%} of this time, with anything"


def cores() -> Cores:
    now = psutil.cpu_times()
    passed = sum(now[:8])  # the last two, of virtual machines, are in the first two
    return Cores(passed, passed - now.idle - now.iowait)


@dataclass(eq=False)  # pytest keeps plugins in sets
class Costs:
    """Measures in each of xdist's processes, and adds up in the one that started them."""

    files: dict[str, Cost] = field(default_factory=dict)
    _since: Cores = field(default_factory=cores)
    _began: tuple[float, float] = (0.0, 0.0)

    def pytest_runtest_logstart(self) -> None:
        self._began = time.monotonic(), _cpu()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "teardown":
            seconds, cpu = self._began
            taken = time.monotonic() - seconds, _cpu() - cpu
            report.user_properties.append((_NAME, taken))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, taken in report.user_properties:
            if name == _NAME and isinstance(taken, (tuple, list)):
                seconds, cpu = taken
                one = self.files.setdefault(report.nodeid.partition("::")[0], Cost())
                one.tests += 1
                one.seconds += seconds
                one.cpu += cpu

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if lines := list(dearest(self.files)):
            terminalreporter.section("the files that take most")
            for line in lines:
                terminalreporter.write_line(line)
            terminalreporter.write_line(cores().words(self._since))


def _cpu() -> float:
    kinds = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    mine = sum(one.ru_utime + one.ru_stime for one in kinds)
    try:
        return mine + sum(psutil.Process(pid).cpu_times()[:4]) if (pid := loader()) else mine
    except psutil.NoSuchProcess:
        return mine
