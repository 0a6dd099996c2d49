"""The pass over pull requests of ours: what moved is looked at, and judged. Safe to run anywhere,
at any time: a change is made only of what nobody has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.errors import GitHubRefusedError, GitHubUnavailableError
from cw.forges.watched import Glance, Look, PullName
from cw.models import Model
from cw.operations.passes.github_pass import GitHubPass, Passed
from cw.operations.passes.rights import Rights
from cw.operations.pulls.asking import Asking
from cw.operations.pulls.beginning import begin_new
from cw.operations.pulls.listening import Listener
from cw.operations.pulls.mending import Mender
from cw.operations.pulls.reading import Reader
from cw.operations.pulls.telling import (
    after_merge,
    known_long,
    news,
    notice_of,
    speaker,
    with_told,
)
from cw.pulls.judged import Heard, judged
from cw.pulls.record import PullRecord, next_look
from cw.pulls.show import needs_look
from cw.pulls.states import ENDED, PullState, move_to
from cw.pulls.turns import GOES_ON
from cw.states import State
from cw.store.notices import Told

if TYPE_CHECKING:
    from cw.operations.passes.context import PassContext
    from cw.store.outbox import Effect

LOCK = "pulls"
_GONE = "GitHub does not show it: it is gone, or the token may not see it"
_GONE_AGAIN = timedelta(hours=1)
_WORKS = frozenset({State.QUEUED, State.RUNNING, State.HELD})

Clock = Callable[[], datetime]


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


def follow(
    ways: PassContext, clock: Clock | None = None, only: Collection[tuple[str, int]] = ()
) -> Followed:
    """One pass. `clock`: the store's, if no other. `only`: these, wholly and now, and no other.
    Raises BrokerUnavailableError.
    """
    with ways.store.locks.held(LOCK) as lock:
        return _Pass(ways, clock, only).run(lock.renew) if lock else Followed(busy=True)


class _Pass(GitHubPass[Moved]):
    def __init__(
        self, ways: PassContext, clock: Clock | None, only: Collection[tuple[str, int]]
    ) -> None:
        super().__init__(ways)
        self._only = only
        self._clock = clock or ways.store.tasks.now
        self._watch = ways.github.watch(ways.store.github)
        self._rights = Rights(self.reader, ways.store.github)
        self._listener = Listener(ways.github, self._rights, ways.settings.pulls_bots)
        self._looked = self._wholly = 0
        self._freed = set[str]()  # places

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
        open_tasks = store.tasks.open_tasks()
        self._mender = Mender(self.ways, open_tasks, now)
        self._reader = Reader(self.ways, self._rights, open_tasks, now)
        self._tasks = {
            self.key(task): task.spec.id
            for task in open_tasks
            if task.state in _WORKS
            and task.spec.github
            and task.spec.issue is not None
            and task.spec.of_pull is None
        }
        due = {_name(record): record for record in self._due(now)}
        asking = Asking(self._watch, self.told, step)
        glances = asking.glances(due)
        self._looked = len(glances)
        for name in due.keys() - glances.keys():
            if asking.gone(name):
                self._gone(due[name], now)
        wanted = [name for name in due if self._wants_look(due[name], glances.get(name), now)]
        looks = asking.looks(wanted)
        self._wholly = len(looks)
        # The oldest first: of several that conflict it is mended first.
        for name in sorted(looks, key=lambda name: (due[name].key[0], name.number)):
            step()
            self._guarded(due[name], looks[name])
        self._mender.tidy()
        self._wake(now)

    def _wake(self, now: datetime) -> None:
        """Where one is in nobody's way any more, or has moved the base, the others of its place are
        looked at in the next pass: some may have waited for that.
        """
        if self._freed:
            opened = self.ways.store.pulls.open()
            beside = [record.key for record in opened if record.key[0] in self._freed]
            self.ways.store.pulls.wait(dict.fromkeys(beside, now))

    def _due(self, now: datetime) -> list[PullRecord]:
        pulls = self.ways.store.pulls
        if self._only:
            return [found for key in self._only if (found := pulls.get(key)) and found.open]
        early = timedelta(seconds=self.ways.settings.pulls_every / 2)  # passes are not on the dot
        return pulls.due(now + early)

    def _wants_look(self, record: PullRecord, glance: Glance | None, now: datetime) -> bool:
        """False: nothing is new, or it is another repository's now, or nobody knows."""
        if glance is None:
            return False
        if record.repo_id and glance.repo_id != record.repo_id:
            self._find_again(record, now)
            return False
        if self._only or needs_look(record, glance, now):
            return True
        self.ways.store.pulls.wait({record.key: next_look(record.state, record.moved_at, now)})
        return False

    def _gone(self, record: PullRecord, now: datetime) -> None:
        said = record.model_copy(update={"waits": _GONE})
        self.ways.store.pulls.move(said, move_to(record.state), now + _GONE_AGAIN)

    def _find_again(self, record: PullRecord, now: datetime) -> None:
        """Its repository's name is another one's by now."""
        try:
            place = self.places.place(record.repo, record.repo_id)
        except GitHubRefusedError:
            self._gone(record, now)
            return
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
        now = self._clock()
        task = self._tasks.get((before.key[0], before.issue or 0), "")
        known = self._mender.followed(before)
        read = self._reader.followed(known.record)
        wants = self._listener.wants(read.record, look)
        wants = replace(wants, findings=read.findings)
        # Of a repair that is over nobody knows when it pushed last, and what.
        ended = before.repair or (before.looked_at is None and not before.left)
        working = bool(task or known.at or ended)
        heard = Heard(
            stops=self._listener.stops(read.record, look, working=working),
            wants=wants,
            task=task,
            repairs=known.at,
            reads=read.at,
            quiet=timedelta(seconds=self.ways.settings.pulls_quiet),
        )
        record, verdict = judged(read.record, look, heard, now)
        decided = self._mender.decide(record, verdict, look, wants)
        decided = self._reader.decide(decided, verdict, look)
        effects = (*known.effects, *decided.effects)
        if self._move(before, decided.record, now, effects) and decided.spec:
            self._mender.record(decided.spec, decided.prompt)

    def _move(
        self, before: PullRecord, record: PullRecord, now: datetime, more: Iterable[Effect] = ()
    ) -> bool:
        """Record it, with what follows from it. False: somebody has changed it since."""
        ended = record.state in ENDED
        told, notice = news(record), None
        if told:
            record = with_told(record, told)
            if not known_long(before, now):
                notice = notice_of(record, told, now)
        merged = record.state is PullState.MERGED
        effects = [*more, *(after_merge(record) if merged else ())]
        next_at = None if ended else next_look(record.state, record.moved_at, now)
        if ended:
            record = record.model_copy(update={"ended_at": now})
        done = self.ways.store.pulls.move(
            record, move_to(record.state), next_at, Told(effects, self._speaker, notice)
        )
        if done and record.state is not before.state:
            self.rows.append(_moved(before, record))
            if before.state in GOES_ON and record.state not in GOES_ON:
                self._freed.add(record.key[0])
        return done


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
