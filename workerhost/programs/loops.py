"""Whether an agent goes round in circles, told from its calls and their answers alone. Pure.

A call counts with its answer: one that is answered otherwise than before is news, and so is every
other call. Time is none of it: a log that is read again says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workerhost.programs.acts import Act, Answer, Call

_PERIOD = 16  # different steps of a circle; a longer one is not seen
_FAILED = 3  # times as much as one that was answered well, which may be a look at what goes on
_SAYS = 16  # characters: an error of fewer ("Exit code 1") says nothing by itself
_ENDS = 2000  # characters of an error, from each end
_THREADS = 32
_UNANSWERED = 256  # calls
_CALL_SHOWN, _ANSWER_SHOWN = 130, 110  # characters
_DIGITS = dict.fromkeys(map(ord, "0123456789"))  # times, sizes, ids of processes


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """With one agent. `calls`: failing ones, again and again; three times as many that do not
    fail. `turns`: without any change of a file. 0: no limit.
    """

    calls: int = 0
    turns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """`why`: in words of ours. The others are the agent's, whole: first redacted, then cut."""

    why: str
    call: str
    answer: str

    def describe(self, redact: Callable[[str], str]) -> str:
        call = _cut(redact(self.call), _CALL_SHOWN)
        answer = _cut(redact(self.answer), _ANSWER_SHOWN) or "nothing"
        return f"{self.why}; the last call, {call}, was answered: {answer}"


@dataclass(frozen=True, slots=True)
class _Step:
    call: Call
    answer: Answer
    error: str  # what tells it from other errors; empty when it is none
    sign: int  # the same for the same call with the same answer

    @property
    def changes(self) -> bool:
        return self.call.changes and not (self.call.whole and self.answer.failed)


@dataclass(slots=True)
class Loops:
    """Of one run, from its first line."""

    patience: Patience = field(default_factory=Patience)
    _calls: dict[str, Call] = field(default_factory=dict)  # without an answer yet
    _threads: dict[str, _Thread] = field(default_factory=dict)

    @property
    def found(self) -> Loop | None:
        """That an agent, or a subagent of it, is in at this moment."""
        return next((thread.loop for thread in self._threads.values() if thread.loop), None)

    def hear(self, act: Act) -> None:
        if isinstance(act, Call):
            self._thread(act.thread).begin(act.turn, self.patience)
            _bound(self._calls, _UNANSWERED)
            self._calls[act.id] = act
            return
        self._threads.pop(act.id, None)  # a subagent that is done
        call = self._calls.pop(act.id, None)
        if call and call.thread in self._threads:
            self._threads[call.thread].steps.append(_step(call, act))

    def over(self) -> None:
        """The agent's last word: it came out of whatever it was in."""
        self._calls.clear()
        self._threads.clear()

    def _thread(self, name: str) -> _Thread:
        if name not in self._threads:
            _bound(self._threads, _THREADS)
            self._threads[name] = _Thread(main=not name)
        return self._threads[name]


@dataclass(slots=True)
class _Thread:
    """One conversation. Its turns count, not its calls: of those that are made at once one error
    ends all.
    """

    main: bool
    turn: str = ""
    steps: list[_Step] = field(default_factory=list)  # of this turn
    loop: Loop | None = None
    _times: dict[int, int] = field(default_factory=dict)  # by step, the latest last; since news
    _weight: int = 0  # of the turns since news
    _error: str = ""
    _same: int = 0  # turns in a row that failed with this error
    _still: int = 0  # turns in a row that changed nothing

    def begin(self, turn: str, patience: Patience) -> None:
        if turn == self.turn:
            return
        self.turn, steps, self.steps = turn, self.steps, []
        if steps:
            self._weigh(steps)
            self.loop = self._judge(steps[-1], patience)

    def _weigh(self, steps: list[_Step]) -> None:
        failed = all(step.answer.failed for step in steps)
        waits = any(step.call.waits for step in steps)
        news = [step for step in steps if step.sign not in self._times]
        if news:
            self._times, self._weight = dict.fromkeys(self._times, 0), 0
        for step in steps:
            self._times[step.sign] = self._times.pop(step.sign, 0) + 1
        while len(self._times) > _PERIOD:
            del self._times[next(iter(self._times))]
        if any(step.changes for step in news):
            self._still = 0
        elif not waits:
            self._still += 1
        if not waits:
            self._weight += _FAILED if failed else 1
            self._count_error(steps[0].error if failed else "")

    def _count_error(self, error: str) -> None:
        self._same = self._same + 1 if error == self._error else 1
        self._error = error

    def _judge(self, last: _Step, patience: Patience) -> Loop | None:
        why = ""
        if patience.calls and self._weight >= _FAILED * patience.calls:
            others = sum(1 for times in self._times.values() if times) - 1
            among = f", in turn with {others} other{'s' if others > 1 else ''}" if others else ""
            why = f"it made a call {self._times[last.sign]} times with the same answer{among}"
        elif patience.calls and self._same >= patience.calls and len(self._error) >= _SAYS:
            why = f"its calls failed with the same error {self._same} times in a row"
        elif patience.turns and self.main and self._still >= patience.turns:
            why = f"it changed no file in {self._still} turns"
        return Loop(why=why, call=last.call.said, answer=last.answer.text) if why else None


def _step(call: Call, answer: Answer) -> _Step:
    error = _error(answer)
    return _Step(call, answer, error, hash((call.key, answer.failed, error or answer.text)))


def _error(answer: Answer) -> str:
    """Without its digits."""
    if not answer.failed:
        return ""
    text = answer.text
    ends = text if len(text) <= 2 * _ENDS else text[:_ENDS] + text[-_ENDS:]
    return ends.translate(_DIGITS).strip() or " "


def _bound(kept: dict[str, Any], most: int) -> None:
    while len(kept) >= most:
        del kept[next(iter(kept))]


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
