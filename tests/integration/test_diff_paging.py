"""`cw diff` on a terminal: a pager only for what does not fit, colours only where they render."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import LINES, Terminal

MARK = "\x1b[32m"


def script(tmp_path: Path, lines: int) -> Path:
    """A `cw` that pages so many added lines."""
    path = tmp_path / "page"
    path.write_text(
        f"#!{sys.executable}\n"
        "import click\n"
        "from cw.cli.views.paging import page\n"
        "from cw.cli.views.render import diff_line\n"
        "@click.command()\n"
        "def show():\n"
        f"    page(''.join(diff_line('+line %d' % n) + '\\n' for n in range({lines})))\n"
        "import sys, cw.cli.main as main\n"
        "main.COMMANDS['show'] = 'x'\n"
        "main.LazyGroup.get_command = lambda self, ctx, name: show\n"
        "sys.argv = ['cw', 'show']\n"
        "sys.exit(main.main())\n",
        "utf-8",
    )
    path.chmod(0o755)
    return path


def pager(tmp_path: Path, name: str) -> Path:
    """Notes that it was asked, and passes on."""
    path = tmp_path / name
    path.write_text("#!/bin/sh\necho paged with LESS=$LESS\nexec cat\n", "utf-8")
    path.chmod(0o755)
    return path


def shown(tmp_path: Path, lines: int, **more: str) -> str:
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(Path.cwd()), **more}
    with Terminal(env, program=script(tmp_path, lines)) as terminal:
        assert terminal.finish() == 0
    return terminal.text


def test_what_fits_the_screen_is_printed_in_colour_without_a_pager(tmp_path: Path) -> None:
    text = shown(tmp_path, LINES - 2, PAGER=str(pager(tmp_path, "less")))

    assert "paged" not in text
    assert MARK in text


def test_what_does_not_fit_goes_to_the_pager_which_is_told_of_colours(tmp_path: Path) -> None:
    text = shown(tmp_path, LINES, PAGER=str(pager(tmp_path, "less")))

    assert "paged with LESS=FRX" in text
    assert MARK in text


def test_pager_is_the_one_that_git_takes(tmp_path: Path) -> None:
    """GIT_PAGER, then core.pager of one's own settings, then PAGER."""
    mine, others = tmp_path / "mine", tmp_path / "others"
    for folder in (mine, others):
        folder.mkdir()
    (tmp_path / ".gitconfig").write_text(f"[core]\n\tpager = {pager(mine, 'delta')} --dark\n")
    env = {"HOME": str(tmp_path), "PAGER": str(pager(others, "never"))}

    configured = shown(tmp_path, LINES, **env)
    variable = shown(tmp_path, LINES, **env, GIT_PAGER="cat")

    assert "paged" in configured
    assert MARK in configured
    assert "paged" not in variable


def test_options_of_the_person_are_kept(tmp_path: Path) -> None:
    assert "paged with LESS=-S" in shown(
        tmp_path, LINES, PAGER=str(pager(tmp_path, "less")), LESS="-S"
    )


def test_pager_that_may_not_show_colours_gets_none(tmp_path: Path) -> None:
    text = shown(tmp_path, LINES, PAGER=str(pager(tmp_path, "more")))

    assert "paged" in text
    assert MARK not in text


@pytest.mark.parametrize("lines", [2, LINES])
def test_no_color_is_obeyed(tmp_path: Path, lines: int) -> None:
    text = shown(tmp_path, lines, PAGER=str(pager(tmp_path, "less")), NO_COLOR="1")

    assert "\x1b[" not in text
    assert "+line 1" in text


@pytest.mark.parametrize("word", ["", "cat", "/nowhere/less", '"'])
def test_without_a_pager_all_is_printed(tmp_path: Path, word: str) -> None:
    text = shown(tmp_path, 3 * LINES, PAGER=word)

    assert f"+line {3 * LINES - 1}" in text


def test_a_pipe_gets_neither(tmp_path: Path) -> None:
    done = subprocess.run(
        [script(tmp_path, 100)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), "PAGER": "less"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "\x1b" not in done.stdout
    assert done.stdout.count("\n") == 100
