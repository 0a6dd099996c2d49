"""claude's stream-json as a running total, and what its words for errors mean."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from cw.claude.events import MALFORMED, parse, told
from cw.reasons import Reason
from cw.transcript.loglines import as_text
from workerhost.claude.acts import acts
from workerhost.claude.limits import Limits
from workerhost.claude.longline import LongLine
from workerhost.claude.prices import Unpriced
from workerhost.programs.progress import Failure, Progress, Result, Taken, Word, nothing

# What is judged by.
_RESULT = ("subtype", "is_error", "api_error_status", "api_error", "result", "errors")
_WORDS = {"result": Word.LAST, "assistant": Word.WORK, "user": Word.WORK}
_OVER = {"error_max_budget_usd": "usd", "error_max_turns": "turns"}
_WORD_CAP = 200  # of a name, a version, an id
_IDS_KEPT = 64  # the lines of one message follow each other closely

Json = dict[str, Any]


@dataclass(slots=True)
class Stream:
    """See `workerhost.programs.progress.Reading`. Unknown lines pass."""

    progress: Progress = field(default_factory=Progress)
    _long: LongLine | None = None  # the line of the moment, when it is too long to be kept
    _result: Json | None = None
    _api_error: str = ""  # its word for what the API said: rate_limit, authentication_failed …
    _api_kind: str = ""  # the same more closely, in newer versions
    _limits: Limits = field(default_factory=Limits)
    _unpriced: Unpriced = field(default_factory=Unpriced)
    _turns: int = 0  # that the results so far tell of
    _messages: deque[str] = field(default_factory=lambda: deque(maxlen=_IDS_KEPT))

    def part(self, piece: bytes) -> None:
        self._long = self._long or LongLine()
        self._long.feed(piece)

    def take(self, line: bytes) -> Taken:
        long, self._long = self._long, None
        if long:  # of such lines only results are read
            long.feed(line)
        data = long.end() if long else parse(line)
        if data is None:
            return Taken(Word.OTHER, nothing if long else partial(as_text, line))
        self.add(data)
        word = _WORDS.get(str(data.get("type")), Word.OTHER)
        return Taken(word, partial(told, data), partial(acts, data))

    def add(self, data: Json) -> None:
        """One line. Of one that is not as claude writes it what can be read counts."""
        with suppress(*MALFORMED):
            self._add(data)
        with suppress(*MALFORMED):
            self.progress.failure = self._failure()

    def _add(self, data: Json) -> None:
        kind, sub = data.get("type"), data.get("subtype")
        if kind == "system" and sub == "init":
            self.progress.session = _word(data.get("session_id", ""))
            self.progress.model = _word(data.get("model", ""))
            self.progress.version = _word(data.get("claude_code_version", ""))
        elif kind == "system" and sub == "api_retry":
            self.progress.retries += 1
            self.progress.retry_after = _delay(data.get("retry_delay_ms"))
        elif kind == "assistant":
            self._assistant(data)
        elif kind == "rate_limit_event":
            self._limits.hear(data.get("rate_limit_info") or {})
            self.progress.windows = self._limits.windows
        elif kind == "result":
            self._end(data)

    def _assistant(self, data: Json) -> None:
        if not data.get("error"):
            self._unpriced.add(data.get("message") or {})
            self.progress.unpriced_usd = self._unpriced.usd
        if data.get("parent_tool_use_id"):
            return  # a subagent's; what becomes of it is the agent's to say
        self._api_error = _word(data.get("error") or "")
        self._api_kind = _word(data.get("api_error") or "")
        # One line per content block, so a turn is a new message id.
        identity = _word((data.get("message") or {}).get("id", ""))
        if identity and identity not in self._messages and not self._api_error:
            self._messages.append(identity)
            self.progress.turns += 1

    def _end(self, data: Json) -> None:
        """One of several, when what the agent had left running woke it up: each tells what came
        since the one before.
        """
        self._result = _together(self._result, {key: data[key] for key in _RESULT if key in data})
        self.progress.result = _typed(self._result)
        self.progress.turns = self._turns = self._turns + int(data.get("num_turns") or 0)
        self.progress.cost_usd += _cost(data)
        self._unpriced.priced()
        self.progress.unpriced_usd = 0.0

    def _failure(self) -> Failure | None:
        result = self._result or {}
        word, kind = self._api_error, self._api_kind or _word(result.get("api_error") or "")
        failed = self._result is None or bool(result.get("is_error"))
        if not failed or not (word or kind or result.get("api_error_status")):
            return None
        return self._limits.failure(result, word, kind, self.progress.model)


def _is_good(result: Mapping[str, Any]) -> bool:
    return result.get("subtype") == "success" and not result.get("is_error")


def _together(before: Json | None, now: Json) -> Json:
    """Work that was finished stays so; of two reports the fuller one counts."""
    if before is None or not _is_good(before):
        return now
    if not _is_good(now):
        return before
    fuller = max((before, now), key=lambda result: len(str(result.get("result") or "")))
    return {**now, "result": fuller.get("result"), "last": now.get("result")}


def _typed(result: Json) -> Result:
    report = str(result.get("result") or "")
    if _is_good(result):
        return Result(report=report, last=str(result.get("last", report) or ""))
    if result.get("subtype") == "success":
        return Result(
            report=report,
            reason=Reason.AGENT_ERROR,
            message=report or "the agent reported an error",
        )
    word, errors = str(result.get("subtype") or "error"), result.get("errors")
    first = str(errors[0]) if isinstance(errors, list) and errors else ""
    said = first or f"the agent ended with {word}"
    return Result(report=report, reason=word, message=said, over=_OVER.get(word, ""))


def _cost(result: Json) -> float:
    """Of this run alone: since 2.1.330 a resumed session's total covers its earlier runs too."""
    since = result.get("model_usage_since_last_result")
    if isinstance(since, dict):
        return sum(float(usage.get("costUSD") or 0) for usage in since.values())
    return float(result.get("total_cost_usd") or 0.0)


def _delay(milliseconds: object) -> timedelta:
    """No longer than a day, whatever is written there."""
    day = timedelta(days=1) / timedelta(milliseconds=1)
    if not isinstance(milliseconds, (int, float)) or not milliseconds > 0:  # not a number either
        return timedelta()
    return timedelta(milliseconds=min(milliseconds, day))


def _word(value: object) -> str:
    return str(value)[:_WORD_CAP]
