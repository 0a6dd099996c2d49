"""The pass over pull requests of ours: what moved is looked at, and judged. Safe to run anywhere,
at any time: a change is made only of what nobody has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from cw.errors import GitHubRefusedError, GitHubUnavailableError
from cw.forges.watched import Glance, Look, PullName
from cw.models import Model
from cw.operations.passes.github_pass import GitHubPass, Passed
from cw.operations.passes.rights import Rights
from cw.operations.pulls.beginning import begin_new
from cw.operations.pulls.listening import Listener
from cw.operations.pulls.telling import (
    after_merge,
    known_long,
    news,
    notice_of,
    speaker,
    with_told,
)
from cw.pulls.hands import still_released, whose
from cw.pulls.record import PullRecord, next_look
from cw.pulls.show import needs_look, shown
from cw.pulls.states import ENDED, PullState, move_to
from cw.pulls.verdict import Seen, judge
from cw.states import State
from cw.store.notices import Told

if TYPE_CHECKING:
    from cw.operations.passes.context import PassContext

LOCK = "pulls"
_AT_ONCE = 100  # pull requests, after which it is seen whether another pass has taken over
_GONE = "GitHub does not show it: it is gone, or the token may not see it"
_GONE_AGAIN = timedelta(hours=1)
_WORKS = frozenset({State.QUEUED, State.RUNNING, State.HELD})

Clock = Callable[[], datetime]
T = TypeVar("T")


class Moved(Model):
    """A pull request whose state is another one now."""

    repo: str
    number: int
    issue: int | None
    task: str
    before: str
    state: str
    waits: str


class Followed(Passed[Moved]):
    """What one pass saw. `looked`: how many were looked at, of which few wholly."""

    looked: int = 0
    wholly: int = 0
    queries: int = 0  # requests for that; each is a point or a few of GraphQL's

    @property
    def merged(self) -> bool:
        return any(row.state == PullState.MERGED for row in self.rows)


def follow(ways: PassContext, clock: Clock | None = None) -> Followed:
    """One pass. `clock`: the store's, if no other. Raises BrokerUnavailableError."""
    with ways.store.locks.held(LOCK) as lock:
        return _Pass(ways, clock).run(lock.renew) if lock else Followed(busy=True)


class _Pass(GitHubPass[Moved]):
    def __init__(self, ways: PassContext, clock: Clock | None) -> None:
        super().__init__(ways)
        self._clock = clock or ways.store.tasks.now
        self._watch = ways.github.watch()
        self._listener = Listener(ways.github, Rights(self.reader, ways.store.github))
        self._looked = self._wholly = 0
        self._unasked: set[str] = set()  # repositories that were not answered for

    def run(self, step: Callable[[], None]) -> Followed:
        done = self.report(Followed, lambda: self._run(step))
        odd = tuple(self._watch.odd.values())
        counted = {
            "looked": self._looked,
            "wholly": self._wholly,
            "queries": self._watch.asked,
            "warnings": (*done.warnings, *odd),
        }
        return done.model_copy(update=counted)

    def _run(self, step: Callable[[], None]) -> None:
        store, now = self.ways.store, self._clock()
        self._speaker = speaker(store.fleet.hosts(), self.ways.settings.host_name, now)
        begin_new(store, now)
        self._tasks = {
            self.key(task): task.spec.id
            for task in store.tasks.open_tasks()
            if task.state in _WORKS and task.spec.github and task.spec.issue is not None
        }
        early = timedelta(seconds=self.ways.settings.pulls_every / 2)  # passes are not on the dot
        due = {_name(record): record for record in store.pulls.due(now + early)}
        glances = self._ask(self._watch.glances, due, step)
        self._looked = len(glances)
        self._gone([record for name, record in due.items() if name not in glances], now)
        wanted = [
            record
            for name, record in due.items()
            if name in glances and self._wants_look(record, glances[name], now)
        ]
        looks = self._ask(self._watch.looks, {_name(record): record for record in wanted}, step)
        self._wholly = len(looks)
        for name, look in looks.items():
            step()
            self._guarded(due[name], look)

    def _ask(
        self,
        question: Callable[[Collection[PullName]], Mapping[PullName, T]],
        wanted: Mapping[PullName, PullRecord],
        step: Callable[[], None],
    ) -> dict[PullName, T]:
        """A repository that refuses keeps nobody from asking of the others."""
        found: dict[PullName, T] = {}
        for names in _parts(list(wanted)):
            step()
            try:
                found |= question(names)
            except GitHubRefusedError:
                for repo in sorted({name.repo for name in names}):
                    try:
                        found |= question([name for name in names if name.repo == repo])
                    except (GitHubRefusedError, GitHubUnavailableError) as error:
                        self._unasked.add(repo)
                        self.told(repo, error)
        return found

    def _wants_look(self, record: PullRecord, glance: Glance, now: datetime) -> bool:
        """False: nothing is new, or it is another repository's now."""
        if record.repo_id and glance.repo_id != record.repo_id:
            self._find_again(record, now)
            return False
        if needs_look(record, glance, now):
            return True
        self.ways.store.pulls.wait({record.key: next_look(record.state, record.moved_at, now)})
        return False

    def _gone(self, records: list[PullRecord], now: datetime) -> None:
        for record in records:
            if record.repo in self._unasked or _name(record) in self._watch.odd:
                continue
            said = record.model_copy(update={"waits": _GONE})
            self.ways.store.pulls.move(said, move_to(record.state), now + _GONE_AGAIN)

    def _find_again(self, record: PullRecord, now: datetime) -> None:
        """Its repository's name is another one's by now."""
        place = self.places.place(record.repo, record.repo_id)
        self._move(record, record.model_copy(update={"repo": place.name}), now)

    def _guarded(self, record: PullRecord, look: Look) -> None:
        try:
            self._judge(record, look)
            self.troubles = 0
        except GitHubRefusedError as error:
            self.told(record.name, error)
        except GitHubUnavailableError as error:
            self.bear(error)
            self.warnings.append(f"{record.name}: {error.message}")

    def _judge(self, before: PullRecord, look: Look) -> None:
        now, glance = self._clock(), look.glance
        new_head = glance.head != before.head
        moved = new_head or (before.looked_at is not None and glance.mark != before.mark)
        task = self._tasks.get((before.key[0], before.issue or 0), "")
        stops = self._listener.stops(before, look, working=bool(task))
        released = still_released(look, before.released)
        hands = whose(look, stops, released)
        seen = Seen(
            look=look,
            head_at=now if new_head else before.head_at,
            moved_at=now if moved else before.moved_at,
            now=now,
            hands=tuple(hands.values()),
            task=task,
            threads=self._listener.threads(look),
        )
        verdict = judge(seen)
        record = before.model_copy(
            update={
                "repo": glance.repo if before.repo_id else before.repo,
                "title": look.title,
                "state": verdict.state,
                "cause": verdict.cause,
                "waits": verdict.waits,
                "head": glance.head,
                "head_at": seen.head_at,
                "moved_at": seen.moved_at,
                "looked_at": now,
                "mark": glance.mark,
                "shown": shown(seen),
                "stops": stops,
                "hands": hands,
                "released": released,
                "comments": look.comment_count,
            }
        )
        self._move(before, record, now)

    def _move(self, before: PullRecord, record: PullRecord, now: datetime) -> None:
        """Record it, with what follows from it."""
        ended = record.state in ENDED
        told, notice = news(record), None
        if told:
            record = with_told(record, told)
            if not known_long(before, now):
                notice = notice_of(record, told, now)
        merged = record.state is PullState.MERGED
        effects = after_merge(record) if merged else []
        next_at = None if ended else next_look(record.state, record.moved_at, now)
        if ended:
            record = record.model_copy(update={"ended_at": now})
        done = self.ways.store.pulls.move(
            record, move_to(record.state), next_at, Told(effects, self._speaker, notice)
        )
        if done and record.state is not before.state:
            self.rows.append(_moved(before, record))


def _moved(before: PullRecord, record: PullRecord) -> Moved:
    return Moved(
        repo=record.repo,
        number=record.number,
        issue=record.issue,
        task=record.task,
        before=before.state.value,
        state=record.state.value,
        waits=record.waits,
    )


def _name(record: PullRecord) -> PullName:
    return PullName(record.repo, record.number)


def _parts(names: list[PullName]) -> Iterator[list[PullName]]:
    for begin in range(0, len(names), _AT_ONCE):
        yield names[begin : begin + _AT_ONCE]
