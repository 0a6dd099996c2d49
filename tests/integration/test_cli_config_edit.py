"""`cw config edit`: whatever an editor leaves, it is in place and fits, or is kept and named."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Cw

Editor = Callable[[str], str]


@pytest.fixture
def path(cw_environ: dict[str, str]) -> Path:
    return Path(cw_environ["CW_CONFIG"])


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    """A program that does this to the file `$1`."""

    def make(script: str) -> str:
        program = tmp_path / "my editor"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        return f"'{program}'"

    return make


def copies(path: Path) -> list[Path]:
    return list(path.parent.glob("config-*"))


def test_text_takes_the_place_of_the_file(cw: Cw, path: Path, editor: Editor) -> None:
    path.write_text("# mine\n[run]\nrest = 5\n")
    path.chmod(0o644)

    done = cw("config", "edit", EDITOR="false", VISUAL=editor("sed -i 's/5/6 # new/' \"$1\""))

    assert (done.returncode, done.stdout) == (0, f"{path} is changed\n")
    assert path.read_text() == "# mine\n[run]\nrest = 6 # new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert copies(path) == []


def test_new_file_begins_with_an_example(cw: Cw, path: Path, editor: Editor) -> None:
    assert cw("config", "edit", EDITOR="true").stdout == "nothing was changed\n"
    assert not path.exists()

    done = cw("config", "edit", EDITOR=editor("sed -i 's/^# \\([[t]\\)/\\1/' \"$1\""))

    assert done.returncode == 0, done.stderr
    assert "\n[run]\ntime_limit = 3600\n" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_broken_file_can_be_mended(cw: Cw, path: Path, editor: Editor) -> None:
    path.write_text("[run\nrest = 5\n")

    assert cw("config", "edit", EDITOR=editor("sed -i 's/run/run]/' \"$1\"")).returncode == 0

    assert path.read_text() == "[run]\nrest = 5\n"


@pytest.mark.parametrize(
    ("script", "says", "code"),
    [
        ("echo '[runs]' >> \"$1\"", "there is no section [runs]. Did you mean: [run]", 2),
        ("echo '[[[' >> \"$1\"", "cannot be read", 2),
        ("printf '[lease]\\nttl = 1' > \"$1\"", "lease.renew must be shorter", 2),
        ("printf '\\377' >> \"$1\"", "cannot be read", 2),
        ("echo '# more' >> \"$1\"; exit 3", "ended with status 3", 1),
        ("echo '# x' >> config.toml; echo '# y' >> \"$1\"", "changed by somebody else", 2),
    ],
)
def test_what_does_not_fit_is_kept_and_named(
    cw: Cw, path: Path, editor: Editor, script: str, says: str, code: int
) -> None:
    path.write_text("# mine\n")

    done = cw("config", "edit", EDITOR=editor(script))

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
    assert says in done.stderr
    assert path.read_text().startswith("# mine\n")
    (copy,) = copies(path)
    assert f"Your text is in {copy}; mend it there, then: mv {copy} {path}" in done.stderr
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("editor", "says"),
    [
        ("no-such-editor", "cannot be started"),
        ("'unbalanced", "cannot be started"),
        ("false", "ended with status 1"),
    ],
)
def test_editor_that_does_nothing_leaves_nothing(
    cw: Cw, path: Path, editor: str, says: str
) -> None:
    path.write_text("# mine\n")

    done = cw("config", "edit", EDITOR=editor)

    assert done.returncode in {1, 2}
    assert re.fullmatch(rf"cw: the editor .*{says}.*\n", done.stderr)
    assert path.read_text() == "# mine\n"
    assert copies(path) == []


def test_copy_that_the_editor_took_away_is_not_an_empty_file(
    cw: Cw, path: Path, editor: Editor
) -> None:
    path.write_text("# mine\n")

    done = cw("config", "edit", EDITOR=editor('rm "$1"'))

    assert done.returncode == 1
    assert done.stderr.startswith("cw: the editor has left nothing where ")
    assert done.stderr.count("\n") == 1
    assert path.read_text() == "# mine\n"
