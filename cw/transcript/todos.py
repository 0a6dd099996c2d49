"""An agent's to-do list, from what it said: TaskCreate and TaskUpdate, or TodoWrite."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from cw.models import Event, Model

KINDS = frozenset({"todo", "result"})  # the events a list is made of

Status = Literal["pending", "in_progress", "completed"]

_STATUS: dict[str, Status] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
}
_CREATED = re.compile(r"Task #([0-9]{1,6}) created[^:]*(?::\s*(.*))?", re.DOTALL)


class Todo(Model):
    """One point of the list. `subject` is empty when its creation was not seen."""

    number: int
    subject: str
    status: Status


class TodoList(Model):
    """The list of one task."""

    task: str
    label: str
    title: str
    worker: str
    state: str
    todos: tuple[Todo, ...]


def todos(events: Iterable[Event]) -> list[Todo]:
    """The list as it stands after these events, oldest first. Agents may say anything: what is no
    to-do is passed over.
    """
    book = _Book()
    for event in events:
        if event.kind == "todo":
            book.call(str(event.data.get("tool", "")), event.data.get("input"))
        elif event.kind == "result" and (found := _CREATED.match(event.text)):
            book.created(int(found[1]), (found[2] or "").strip())
    return book.points()


def complete(found: list[Todo]) -> bool:
    """Whether every point's creation was seen."""
    return all(point.subject for point in found)


class _Book:
    def __init__(self) -> None:
        self._known: dict[int, Todo] = {}
        self._asked: list[str] = []  # subjects whose number has not been said yet

    def call(self, tool: str, given: Any) -> None:
        if not isinstance(given, dict):
            return
        if tool == "TaskCreate":
            self._asked.append(_text(given.get("subject")) or "?")
        elif tool == "TaskUpdate":
            self._update(given)
        elif tool == "TodoWrite" and isinstance(given.get("todos"), list):
            self._write(given["todos"])

    def created(self, number: int, subject: str) -> None:
        """Calls made at once are answered in any order, so the subject says which is meant."""
        if number in self._known and self._known[number].subject:
            self._known = {}  # a number given again: a new conversation began its own list
        if subject in self._asked:
            self._asked.remove(subject)
        elif self._asked:
            subject = self._asked.pop(0)
        before = self._known.get(number)
        status = before.status if before else "pending"
        self._known[number] = Todo(number=number, subject=subject, status=status)

    def points(self) -> list[Todo]:
        """Those still without an answer come last, in order."""
        following = max(self._known, default=0) + 1
        asked = [
            Todo(number=number, subject=subject, status="pending")
            for number, subject in enumerate(self._asked, following)
        ]
        return [*(self._known[number] for number in sorted(self._known)), *asked]

    def _update(self, given: dict[str, Any]) -> None:
        digits = str(given.get("taskId", "")).strip().removeprefix("#")
        if not re.fullmatch(r"[0-9]{1,6}", digits):
            return
        number = int(digits)
        if given.get("status") == "deleted":
            self._known.pop(number, None)
            return
        before = self._known.get(number) or Todo(number=number, subject="", status="pending")
        changed = {
            "subject": _text(given.get("subject")) or before.subject,
            "status": _STATUS.get(str(given.get("status")), before.status),
        }
        self._known[number] = before.model_copy(update=changed)

    def _write(self, rows: list[Any]) -> None:
        self._asked = []
        told = [row for row in rows if isinstance(row, dict) and _text(row.get("content"))]
        self._known = {
            number: Todo(
                number=number,
                subject=_text(row["content"]),
                status=_STATUS.get(str(row.get("status")), "pending"),
            )
            for number, row in enumerate(told, 1)
        }


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
