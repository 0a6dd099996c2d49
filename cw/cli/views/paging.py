"""Long output of a terminal, a screen at a time: by the person's own pager, if it is needed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import click

_LESS = "FRX"  # as git does: ends when it fits, shows colours, leaves the text on the screen
_SHOWS_COLOURS = frozenset({"less", "most", "delta", "bat", "moar", "ov"})


def page(text: str) -> None:
    """Elsewhere, or when it fits the screen, the text is printed as it is. PAGER as git reads it:
    empty or `cat` means none. A pager that is not known to show colours gets none.
    """
    pager = _pager()
    if not pager or not sys.stdout or not sys.stdout.isatty() or fits(text):
        click.echo(text, nl=False)
        return
    context = click.get_current_context(silent=True)
    plain = context is not None and context.color is False
    if plain or os.path.basename(pager[0]) not in _SHOWS_COLOURS:  # noqa: PTH119  no path, a word
        text = click.unstyle(text)
    try:
        process = subprocess.Popen(
            pager, stdin=subprocess.PIPE, env={**os.environ, "LESS": os.environ.get("LESS", _LESS)}
        )
    except OSError:
        click.echo(text, nl=False)
        return
    process.communicate(text.encode("utf-8", "replace"))


def fits(text: str) -> bool:
    """Whether it is shorter than the screen, with lines that are broken by its width."""
    width, height = shutil.get_terminal_size()
    lines = click.unstyle(text).splitlines()
    return sum(1 + max(0, len(line) - 1) // width for line in lines) < height


def _pager() -> list[str]:
    said = os.environ.get("PAGER", "less")
    try:
        words = shlex.split(said)
    except ValueError:  # a quote that nobody closed
        return []
    return words if words and words[0] != "cat" and shutil.which(words[0]) else []
