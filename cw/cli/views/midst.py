"""What is said while nothing new comes: what the agent is in the middle of, and that its host fell
silent.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from cw.cli.views.render import duration, note, one_line

if TYPE_CHECKING:
    from cw.models import Event, Task
    from cw.store.store import Store

_SAY_AGAIN_SECONDS = 60.0
_CLEAR = "\r\x1b[K"


class Midst:
    """Owns the last line of the terminal while it is there. `shown`: that line is wanted."""

    def __init__(self, store: Store, past: Iterable[Event], *, shown: bool = True) -> None:
        self._store = store
        self._shown = shown and bool(sys.stdout) and sys.stdout.isatty()
        self._there = False
        self._last: Event | None = None
        self._silence_told = float("-inf")
        for event in past:
            self.saw(event)

    def saw(self, event: Event) -> None:
        self._last = event

    def tell(self, task: Task) -> None:
        """Called about once a second while nothing new is said."""
        if task.state.value != "running":
            return
        if not self._tell_silence(task) and self._shown and self._last:
            self._line(in_the_middle_of(self._last, self._store.tasks.now().timestamp()))

    def clear(self) -> None:
        if self._there:
            click.echo(_CLEAR, nl=False, color=True)
            self._there = False

    def _line(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        click.echo(_CLEAR + click.style(one_line(text)[:width], dim=True), nl=False, color=True)
        sys.stdout.flush()
        self._there = True

    def _tell_silence(self, task: Task) -> bool:
        """Of the host: at once, and every minute. True while it is silent."""
        now = self._store.tasks.now()
        host = next((host for host in self._store.fleet.hosts() if host.name == task.host), None)
        if host is not None and host.up(now):
            self._silence_told = float("-inf")
            return False
        if time.monotonic() - self._silence_told >= _SAY_AGAIN_SECONDS:
            self.clear()
            self._silence_told = time.monotonic()
            since = f" for {duration(now - host.seen_at)}" if host and host.seen_at else ""
            note(
                f"host {task.host} has been silent{since}; its run may go on there, unseen. "
                f"See: cw hosts"
            )
        return True


def in_the_middle_of(last: Event, now: float) -> str:
    """`Bash: pytest, 40s`; of what has an answer already, that the model is asked."""
    what = last.text if last.kind in {"tool", "todo"} else "waiting for the model"
    return f"  … {what}, {duration(now - last.at.timestamp())}"
