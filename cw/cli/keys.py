"""One key of a terminal, without Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty

import click

_ESCAPE = b"\x1b"  # what arrows and the like begin with
_ENDS = b"\x04"  # Ctrl-D
_NO_ASCII = b"\x80"


def at_terminal() -> bool:
    """Whether somebody is there who sees what is written and can type."""
    return all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))


def read_key(prompt: str) -> str:
    """In lower case; empty: the terminal is gone, or Ctrl-D. Keys that were typed before the prompt
    are forgotten: they were meant for something else. Ctrl-C is KeyboardInterrupt.
    """
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle, termios.TCSAFLUSH)
        click.echo(prompt, nl=False)
        sys.stdout.flush()
        first = os.read(handle, 1)
        if first == _ESCAPE or first >= _NO_ASCII:
            _drop_rest(handle)
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
    return "" if first == _ENDS else first.decode("ascii", "replace").lower()


def _drop_rest(handle: int) -> None:
    """Of a key that is several characters."""
    while select.select([handle], [], [], 0.02)[0] and os.read(handle, 32):
        pass


def yes(question: str, *, default: bool) -> bool:
    """By one key; Enter is the default."""
    hint = "[Y/n]" if default else "[y/N]"
    key = read_key(f"{question} {hint} ")
    said = default if key in {"\n", "\r"} else key == "y"
    click.echo("yes" if said else "no")
    return said
