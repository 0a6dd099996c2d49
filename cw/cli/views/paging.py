"""Long output of a terminal, a screen at a time: by the person's own pager, if it is needed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click

from cw.cli.foreground import for_another

_LESS = "FRX"  # as git does: ends when it fits, shows colours, leaves the text on the screen
_SHOWS_COLOURS = frozenset({"less", "most", "delta", "bat", "moar", "ov"})


def page(text: str) -> None:
    """Elsewhere, or when it fits the screen, the text is printed as it is. The pager is git's: by
    GIT_PAGER, core.pager, PAGER; empty or `cat` means none. One that is not known to show colours
    gets none.
    """
    pager = _pager()
    if not pager or not sys.stdout or not sys.stdout.isatty() or fits(text):
        click.echo(text, nl=False)
        return
    context = click.get_current_context(silent=True)
    plain = context is not None and context.color is False
    if plain or _name(pager[0]) not in _SHOWS_COLOURS:
        text = click.unstyle(text)
    try:
        process = subprocess.Popen(
            pager, stdin=subprocess.PIPE, env={**os.environ, "LESS": os.environ.get("LESS", _LESS)}
        )
    except OSError:
        click.echo(text, nl=False)
        return
    with for_another():
        process.communicate(text.encode("utf-8", "replace"))


def fits(text: str) -> bool:
    """Whether it is shorter than the screen, with lines that are broken by its width."""
    width, height = shutil.get_terminal_size()
    lines = click.unstyle(text).splitlines()
    return sum(1 + max(0, len(line) - 1) // width for line in lines) < height


def _pager() -> list[str]:
    try:
        words = shlex.split(_wanted())
    except ValueError:  # a quote that nobody closed
        return []
    return words if words and words[0] != "cat" and shutil.which(words[0]) else []


def _wanted() -> str:
    """As git has it outside of any repository: none of them chooses a program for here."""
    git = shutil.which("git")
    if git:
        asked = [git, "var", "GIT_PAGER"]
        done = subprocess.run(asked, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return os.environ.get("PAGER", "less")


def _name(program: str) -> str:
    """Debian's `pager` is another one's."""
    found = Path(program).name
    return Path(shutil.which(program) or program).resolve().name if found == "pager" else found
