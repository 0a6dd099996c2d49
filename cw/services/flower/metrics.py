"""What Prometheus is told of the fleet, read from the store at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from cw.errors import CwError
from cw.names import POOL_QUEUE, worker_queue
from cw.operations.fleet.hosts import HostRow
from cw.operations.views.accounts import AccountRow
from cw.operations.views.overview import overview, read_fleet
from cw.operations.views.rows import NOTICE, Overview
from cw.pulls.states import OPEN as OPEN_PULLS
from cw.states import OPEN, State
from cw.store.counts import Counts
from cw.store.store import Store

_WORKER_STATES = ("idle", "busy", "held", "stopped", "crashed", "paused", "offline")
_HOST_STATES = ("up", "silent", "gone")
_VITALS: tuple[tuple[str, str, Callable[[HostRow], float]], ...] = (
    ("cw_host_load", "Load of a host: mean of a minute", lambda host: host.load),
    ("cw_host_memory_free_bytes", "Memory available there", lambda host: host.memory_mb << 20),
    ("cw_host_disk_free_bytes", "Free below its workers' HOMEs", lambda host: host.disk_mb << 20),
    ("cw_host_clock_seconds", "Its clock minus the broker's", lambda host: host.clock_ms / 1000),
)


class Metrics:
    """Ours and Flower's own. Blocks while the store is read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._own = CollectorRegistry(auto_describe=False)
        self._own.register(self)

    def text(self) -> bytes:
        return bytes(generate_latest(REGISTRY) + generate_latest(self._own))

    def collect(self) -> Iterator[Any]:
        """A broker that is away is told as such, not as an empty fleet."""
        try:
            fleet = read_fleet(self._store)
            now = self._store.tasks.now()
            boxes = (self._store.outbox, self._store.notices)
            waiting = [{host.name: box.length(host.name) for host in fleet.hosts} for box in boxes]
            counts, budgets = self._store.counts.read(now), self._store.github.budgets()
        except CwError:
            yield _gauge("cw_up", "1 when the broker answers", {"": 0})
            return
        yield _gauge("cw_up", "1 when the broker answers", {"": 1})
        seen = overview(fleet, now)
        yield from _fleet(seen, Counter(task.state for task in fleet.tasks))
        yield from _hosts(seen.hosts)
        yield from _accounts(seen.accounts)
        held = {row.repository: 1.0 for row in seen.repositories}
        yield _gauge("cw_repository_held", "1 while one takes nothing more", held, "repository")
        yield from _outbox(seen, *waiting)
        pulls = _all(sorted(OPEN_PULLS), Counter(fleet.pulls))
        yield _gauge("cw_pull_requests", "Open ones of tasks, by state", pulls, "state")
        yield from _counted(counts)
        yield from _github(
            [(token, budget.left_at(now), budget.limit) for token, budget in budgets.items()]
        )


def _fleet(seen: Overview, tasks: Counter[State]) -> Iterator[Any]:
    workers = Counter(worker.state for worker in seen.workers)
    yield _gauge("cw_workers", "Workers by state", _all(_WORKER_STATES, workers), "state")
    states = {state.value: tasks[state] for state in sorted(OPEN)}
    yield _gauge("cw_tasks", "Tasks without an outcome, by state", states, "state")
    queues = [POOL_QUEUE, *(worker_queue(worker.worker) for worker in seen.workers)]
    waiting = Counter(
        worker_queue(row.worker) if row.worker else POOL_QUEUE for row in seen.waiting
    )
    depth = _all(queues, waiting) | waiting  # a worker that is gone may have a queue
    yield _gauge("cw_queue_depth", "Tasks that wait for a worker or in the pool", depth, "queue")


def _hosts(rows: list[HostRow]) -> Iterator[Any]:
    states = Counter(row.state for row in rows)
    yield _gauge("cw_hosts", "Hosts by state", _all(_HOST_STATES, states), "state")
    late = {row.host: row.troubles for row in rows if row.state == "up"}
    odd = {name: sum(trouble.times for trouble in found) for name, found in late.items()}
    yield _gauge("cw_host_troubles", "Unforeseen errors there in the last hour", odd, "host")
    for name, doc, what in _VITALS:
        values = {row.host: what(row) for row in rows if row.state == "up"}
        yield _gauge(name, doc, values, "host")


def _accounts(rows: Sequence[AccountRow]) -> Iterator[Any]:
    """By name: two of the same name count as one, the fuller one."""
    held = {row.name: float(row.state == "held") for row in sorted(rows, key=lambda row: row.state)}
    yield _gauge("cw_account_held", "1 while an account takes nothing", held, "account")
    used = GaugeMetricFamily(
        "cw_account_window_used",
        "How far it is used up, 1 is all",
        labels=["account", "window"],
    )
    windows: dict[tuple[str, str], float] = {}
    for row in rows:
        for window in row.windows:
            key = (row.name, window.window)
            windows[key] = max(window.used, windows.get(key, 0.0))
    for (name, kind), value in windows.items():
        used.add_metric([name, kind], value)
    yield used
    spent = dict.fromkeys((row.name for row in rows), 0.0)
    for row in rows:
        spent[row.name] += row.today_usd
    words = "Dollars of its runs that ended on this day of UTC"
    yield _gauge("cw_account_cost_usd_today", words, spent, "account")


def _outbox(
    seen: Overview, waiting: Mapping[str, int], notices: Mapping[str, int]
) -> Iterator[Any]:
    unheard = Counter(row.host for row in seen.undelivered if row.kind == NOTICE)
    aside = Counter(row.host for row in seen.undelivered) - unheard
    yield _gauge("cw_outbox_waiting", "GitHub writes still to do", waiting, "host")
    yield _gauge("cw_outbox_aside", "Those GitHub did not take", _all(waiting, aside), "host")
    yield _gauge("cw_notices_waiting", "Notices still to be told", notices, "host")
    yield _gauge("cw_notices_aside", "Those nobody took", _all(notices, unheard), "host")


def _counted(counts: Counts) -> Iterator[Any]:
    runs = CounterMetricFamily(
        "cw_runs", "Runs that ended, by outcome and reason", labels=["outcome", "reason"]
    )
    for (kind, reason), number in sorted(counts.runs.items()):
        runs.add_metric([kind, reason], number)
    yield runs
    yield CounterMetricFamily("cw_lease_renewals", "Renewals of leases", value=counts.renewals)
    yield CounterMetricFamily("cw_cost_usd", "Dollars, as claude counts them", value=counts.cost)
    today = {"": counts.cost_today}
    yield _gauge("cw_cost_usd_today", "Dollars of runs that ended on this day of UTC", today)


def _github(budgets: Iterable[tuple[str, int, int]]) -> Iterator[Any]:
    left = GaugeMetricFamily(
        "cw_github_requests_left", "Requests to GitHub left in this hour", labels=["token"]
    )
    limit = GaugeMetricFamily("cw_github_requests_limit", "Of how many", labels=["token"])
    for token, now, most in budgets:
        left.add_metric([token], now)
        limit.add_metric([token], most)
    yield from (left, limit)


def _gauge(name: str, doc: str, values: Mapping[str, float], label: str = "") -> Any:
    family = GaugeMetricFamily(name, doc, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family


def _all(names: Iterable[str], found: Mapping[str, int]) -> dict[str, int]:
    """With a 0 for what there is none of: a line in a graph must not end."""
    return {name: found.get(name, 0) for name in names}
