"""The same faults on plain Celery with Redis, for comparison: `python -m bench.chaos --stock`.

Kinder than to ourselves: each message is sent once, and no queue is emptied. A task starts one
process that lives for some 0.3 to 8 s and writes the agents' log.
`early`: acknowledged on receipt, Celery's default. `late`: after the end, with
`task_reject_on_worker_lost` and a visibility timeout as long as our lease.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from celery import Celery

from bench.chaos import agentlog
from bench.chaos.agentlog import NAME, AgentLog
from bench.chaos.broker import Broker
from bench.chaos.fleet import LEASE_SECONDS, ROOT
from bench.chaos.report import Found, Report

_WORKERS = 3
_SETTLED_SECONDS = 60.0  # with nothing new in the log, whatever is missing is lost
_WAITING = 12  # messages in the queue
FAULTS = ("kill host", "kill agent", "kill broker", "freeze broker", "partition", "deploy")
AGENT = """
import json, os, sys, time
task, path, seconds = sys.argv[1:]
def log(event, **more):
    line = {"event": event, "pid": os.getpid(), "session": "", "at": time.time(), "id": task}
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(out, json.dumps({**line, "repo": "", "issue": task, **more}).encode() + b"\\n")
    os.close(out)
log("start")
until = time.time() + float(seconds)
while time.time() < until:
    time.sleep(0.1)
    log("beat")
log("end", rc=0)
"""


def make_stock_app() -> Celery:
    """As a worker process is started: `celery -A bench.chaos.stock:app worker`."""
    late = os.environ.get("CHAOS_ACKS") == "late"
    made = Celery("stock", broker=os.environ.get("CHAOS_BROKER", ""), set_as_current=False)
    made.conf.update(
        task_acks_late=late,
        task_reject_on_worker_lost=late,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": LEASE_SECONDS} if late else {},
    )

    @made.task(name="work")  # type: ignore[untyped-decorator]
    def work(task: str, seconds: float) -> None:
        path = Path(os.environ["CHAOS_HOME"]) / "tmp" / NAME
        subprocess.run([sys.executable, "-c", AGENT, task, str(path), str(seconds)], check=True)

    return made


app = make_stock_app()


@dataclass
class Stock:
    folder: Path
    acks: str
    dice: random.Random
    broker: Broker
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    killed: set[str] = field(default_factory=set)
    frozen: dict[str, float] = field(default_factory=dict)

    def env(self, name: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CHAOS_ACKS": self.acks,
            "CHAOS_BROKER": f"redis+socket://{self.folder / 's'}",
            "CHAOS_HOME": str(self.folder / name),
        }

    def start(self, name: str) -> None:
        (self.folder / name / "tmp").mkdir(parents=True, exist_ok=True)
        options = ["worker", "-c", "4", "-n", f"{name}@here", "--loglevel", "ERROR"]
        self.workers[name] = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "bench.chaos.stock:app", *options],
            env=self.env(name),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def inject(self, name: str) -> None:
        free = [one for one in self.workers if one not in self.frozen]
        worker = self.dice.choice(free) if free else ""
        if name in {"kill host", "deploy"} and worker:
            process = self.workers[worker]
            if name == "kill host":
                os.killpg(process.pid, signal.SIGKILL)  # the pool's children as well
            process.terminate()
            process.wait(30)
            self.start(worker)
        elif name == "partition" and worker:
            os.kill(self.workers[worker].pid, signal.SIGSTOP)
            self.frozen[worker] = time.monotonic() + LEASE_SECONDS + 2
        elif name == "kill agent":
            self._kill_agent()
        elif name == "kill broker":
            self.broker.kill()
            self.broker.start()
        elif name == "freeze broker":
            self.broker.freeze(1.5)

    def thaw(self) -> None:
        for worker, until_at in list(self.frozen.items()):
            if time.monotonic() > until_at:
                os.kill(self.workers[worker].pid, signal.SIGCONT)
                del self.frozen[worker]

    def _kill_agent(self) -> None:
        agents: list[psutil.Process] = []
        for worker in self.workers.values():
            with suppress(psutil.Error):
                below = psutil.Process(worker.pid).children(recursive=True)
                agents += [one for one in below if AGENT in one.cmdline()]
        if agents:
            agent = self.dice.choice(agents)
            with suppress(psutil.Error):
                self.killed.add(agent.cmdline()[3])
                agent.kill()


def run(acks: str, seed: int, tasks: int, faults: dict[str, int], seconds: float) -> Report:
    folder = Path(tempfile.mkdtemp(prefix="cws-"))
    dice = random.Random(seed)  # noqa: S311  repeatable on purpose
    stock = Stock(folder, acks, dice, Broker(folder))
    log = AgentLog([folder / f"w{one}" for one in range(_WORKERS)])
    try:
        stock.broker.start()
        for one in range(_WORKERS):
            stock.start(f"w{one}")
        _work(stock, log, tasks, faults, seconds)
        return _count(stock, log, seed)
    finally:
        for process in stock.workers.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stock.broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _work(stock: Stock, log: AgentLog, tasks: int, faults: dict[str, int], seconds: float) -> None:
    todo = [name for name in FAULTS for _ in range(faults[name])]
    stock.dice.shuffle(todo)
    whole, began, moved, seen = len(todo), time.monotonic(), time.monotonic(), 0
    sender = Celery("sender", broker=stock.env("-")["CHAOS_BROKER"], set_as_current=False)
    while time.monotonic() - began < seconds:
        stock.thaw()
        runs = log.read()
        if len(runs) != seen:
            moved, seen = time.monotonic(), len(runs)
        if len(stock.sent) < tasks and stock.broker.length("celery") < _WAITING:
            _send(stock, sender)
        if todo and 1 - len(todo) / whole <= len(stock.sent) / tasks:
            stock.inject(todo.pop())
        over = {one.task for one in runs if one.completed} | stock.killed
        done = len(stock.sent) == tasks and len(over) >= tasks
        if not todo and (done or time.monotonic() - moved > _SETTLED_SECONDS):
            return
        time.sleep(0.02)


def _send(stock: Stock, sender: Celery) -> None:
    task = f"t{len(stock.sent)}"
    seconds = stock.dice.choices([0.3, 1.0, 8.0], [80, 15, 5])[0]
    with suppress(Exception):
        sender.send_task("work", args=[task, seconds], task_id=task, retry=False)
        stock.sent.add(task)


def _count(stock: Stock, log: AgentLog, seed: int) -> Report:
    runs = log.read()
    done = agentlog.completed(runs)
    report = Report(told=[f"plain Celery, acks {stock.acks}, seed {seed}: {len(runs)} runs"])
    lost = stock.sent - set(done) - stock.killed
    never, twice = stock.killed - set(done), sum(n > 1 for n in done.values())
    shared = float(sum(agentlog.overlaps(runs, "task")))
    report.add("lost", Found(len(lost), len(stock.sent)))
    report.add("agent killed, never repeated", Found(len(never), len(stock.killed)))
    report.add("completed twice", Found(twice, len(stock.sent)))
    report.add("seconds with two agents", Found(shared, len(runs)))
    return report
