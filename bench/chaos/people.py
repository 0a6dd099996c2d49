"""What people do at pull requests while beat has them mended: they review, merge, close, say stop,
push, and change a file that some of them change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bench.chaos.broker import until
from bench.chaos.fleet import LOCK_SECONDS, PASS_SECONDS
from bench.chaos.pulls import REPO, SHARED, Followed, Pulls
from cw.errors import CwError
from cw.operations.pulls.follow import LOCK
from cw.pulls.record import PullRecord
from cw.pulls.states import ENDED, PullState
from cw.states import State
from cw.store import keys
from tests.standins.github.snapshots import PullSnapshot
from tests.standins.github.wire import ApiError

PERSON = "acme"  # who may write there
_SECONDS = 900.0  # beside the load, on a busy machine
_REST_SECONDS = 3 * PASS_SECONDS  # what was ordered before is said by then
_STILL_SECONDS = 60.0  # with no task of it open, nothing comes any more
_POLL_SECONDS = 0.3
_AT_REST = ENDED | {PullState.NEEDS_YOU, PullState.HANDS_OFF, PullState.READY}


@dataclass
class People:
    pulls: Pulls
    _shared: bool = False  # the file was changed
    _seen: object = None
    _since: float = field(default_factory=time.monotonic)  # it was as it is

    def play(self, wrong: Callable[[], object]) -> None:
        """Until each pull request is a person's, nothing comes any more, or something is `wrong`
        for good. Raises TimeoutError.
        """
        over = self.pulls.load.over
        until(lambda: over.is_set() or self._over() or wrong(), _SECONDS, "the pull requests")

    def _over(self) -> bool:
        time.sleep(_POLL_SECONDS)
        with suppress(CwError):
            self._scale_lock()
            there = {pull.head: pull for pull in self.pulls.load.fleet.hub.pulls(REPO)}
            records = self.pulls.records()
            for one in self.pulls.all:
                pull, record = there.get(one.branch), records.get(one.issue)
                if pull and record and pull.state == "open":
                    self._act(one, pull, record)
            if not self._shared:
                self._share()
            return self._is_still(records, there)
        return False

    def _scale_lock(self) -> None:
        """That of a pass whose host was killed ends after two minutes, which is as long as all else
        here takes.
        """
        key, connection = keys.lock(LOCK), self.pulls.load.store.connection
        with connection.errors() as client:
            if client.pttl(key) > LOCK_SECONDS * 1000:
                client.pexpire(key, int(LOCK_SECONDS * 1000))

    def _act(self, one: Followed, pull: PullSnapshot, record: PullRecord) -> None:
        if one.kind.ends and not one.ended_at and self.pulls.is_mended_now(one):
            self._end(one, pull)
            one.ended_at = one.touched_at = time.time()
        mended = self.pulls.mended(one)
        if len(one.reviews) < one.kind.reviews and mended > max(one.reviews, default=-1):
            words = f"Say why, for the {len(one.reviews) + 1}. time."
            self.pulls.load.fleet.hub.start_thread(REPO, pull.number, words, author=PERSON)
            one.reviews.append(mended)
            one.touched_at = time.time()
        ready = record.state is PullState.READY and _looked(one, record)
        if one.kind.shares and self._shared and ready:
            with suppress(ApiError):  # it has moved since
                self.pulls.load.fleet.hub.merge_pull(REPO, pull.number, PERSON)
                one.touched_at = time.time()

    def _end(self, one: Followed, pull: PullSnapshot) -> None:
        hub = self.pulls.load.fleet.hub
        if one.kind.ends == "merge":
            hub.merge_pull(REPO, pull.number, PERSON)
        elif one.kind.ends == "close":
            hub.close_issue(REPO, pull.number, PERSON)
        elif one.kind.ends == "stop":
            hub.add_comment(REPO, pull.number, "Stop. I take it from here.", author=PERSON)
        else:
            hub.add_commit(REPO, pull.head, {"person.txt": "Mine.\n"}, actor=PERSON)

    def _share(self) -> None:
        """Somebody else changes the file that some of them have changed, once all have."""
        sharing = [one for one in self.pulls.all if one.kind.shares]
        tasks = [self.pulls.load.store.tasks.get(one.taken[0].spec.id) for one in sharing]
        if all(task and task.state is State.DONE for task in tasks):
            hub = self.pulls.load.fleet.hub
            hub.add_commit(REPO, "main", {SHARED: "theirs\n"}, actor=PERSON)
            self._shared = True
            for one in sharing:
                one.touched_at = time.time()

    def _is_still(self, records: dict[int, PullRecord], there: dict[str, PullSnapshot]) -> bool:
        """Each waits for a person; or no task of any is open, and nothing happens any more."""
        tasks = self.pulls.load.store.tasks.open_tasks()
        busy = [task.spec.id for task in tasks if task.spec.repo == REPO]
        seen = (
            {issue: record.state for issue, record in records.items()},
            {name: (pull.head_sha, pull.state) for name, pull in there.items()},
            [one.touched_at for one in self.pulls.all],
        )
        if busy or seen != self._seen:
            self._seen, self._since = seen, time.monotonic()
        rests = all(_rests(one, records.get(one.issue)) for one in self.pulls.all)
        return time.monotonic() - self._since > (_REST_SECONDS if rests else _STILL_SECONDS)


def _rests(one: Followed, record: PullRecord | None) -> bool:
    """It was looked at since anybody did anything, and waits for a person."""
    if record is None or record.state not in _AT_REST or not _looked(one, record):
        return False
    done = len(one.reviews) == one.kind.reviews and bool(one.ended_at) == bool(one.kind.ends)
    return done and (record.state is not PullState.READY or not one.kind.shares)


def _looked(one: Followed, record: PullRecord) -> bool:
    return record.looked_at is not None and record.looked_at.timestamp() > one.touched_at
