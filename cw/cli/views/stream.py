"""An agent's events as lines for people. Colours fall away where there is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.views.render import one_line
from cw.escapes import escape_control

if TYPE_CHECKING:
    from cw.models import Event

_MARKS = {
    "init": ("● ", "cyan"),
    "tool": ("  → ", "blue"),
    "result": ("    ", "bright_black"),
    "todo": ("  ☐ ", "magenta"),
    "retry": ("  ! ", "yellow"),
    "limit": ("  ! ", "yellow"),
    "note": ("  · ", "bright_black"),
    "end": ("■ ", "green"),
}
_WIDEST = 400  # of what is no text of the agent; cw logs --raw has all


def show_event(event: Event) -> None:
    for line in event_lines(event):
        click.echo(line)


def event_lines(event: Event) -> list[str]:
    """None for a tool that answered nothing."""
    if event.kind == "text":
        return escape_control(event.text).splitlines()
    mark, colour = _MARKS.get(event.kind, ("  ", "white"))
    wrong = event.data.get("error") or event.data.get("is_error")
    text = one_line(event.text)
    short = text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
    return [click.style(mark + short, fg="red" if wrong else colour)] if text else []
