"""What changing config.toml makes of a file that a person has written."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from cw.cli.arguments.settings import read_name
from cw.cli.configfile import changed, mode_for, replacing
from cw.errors import BadInputError

MINE = """\
# mine, all of it

[run]   # my runs
# seconds
time_limit = 60   # an hour is too long

[assign]
repos = [
  "acme/app",  # first
  "acme/site",
]
"""


def change(tmp_path: Path, text: str, **values: object) -> str:
    """`run__rest=5` is rest in [run]."""
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    given = {read_name(name.replace("__", ".")): value for name, value in values.items()}
    return changed(path, given)


def test_comments_order_and_everything_else_stay(tmp_path: Path) -> None:
    done = change(tmp_path, MINE, run__time_limit=70, run__rest=5, host__name="east")

    assert (
        done
        == MINE.replace("time_limit = 60   #", "time_limit = 70   #").replace(
            "too long\n", "too long\nrest = 5\n"
        )
        + '\n[host]\nname = "east"\n'
    )


def test_what_is_taken_out_leaves_the_comments_beside_it(tmp_path: Path) -> None:
    done = change(tmp_path, MINE, run__time_limit=None, assign__repos=None)

    assert done == "# mine, all of it\n\n[run]   # my runs\n# seconds\n"


def test_section_in_whose_line_somebody_wrote_stays(tmp_path: Path) -> None:
    assert change(tmp_path, "[run]  # mine\nrest = 5\n", run__rest=None) == "[run]  # mine\n"
    assert change(tmp_path, "[run]\nrest = 5\n", run__rest=None) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[run]\n",
        "[run]",
        "# only this",
        "run.rest = 5\n",
        "run = {rest = 5}\n",
        "run = {}\n",
        "[lease]\nttl = 700\n\n[run]\nrest = 5\n\n[git]\nseconds = 1\n",
        "[run]\r\nrest = 5\r\n",
        "run_time_limit = 9\nmodel = 'x'\n",
        "'run' = {'time_limit' = 9}\n",
        "[run]\ntime_limit = '''\n9'''\n",
        "[run]\n\ttime_limit=9 # x\r\nrest = 1\n",
    ],
)
def test_file_says_what_was_set_and_all_that_it_said_before(tmp_path: Path, text: str) -> None:
    before = tomllib.loads(text)
    before.pop("run_time_limit", None)

    done = change(tmp_path, text, run__time_limit=70)

    assert tomllib.loads(done) == before | {"run": before.get("run", {}) | {"time_limit": 70}}


def test_setting_and_taking_out_again_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    for text in ("", MINE, "model = 'x'\n", MINE.replace("\n", "\r\n")):
        once = change(tmp_path, text, host__name="east")

        assert once != text
        assert change(tmp_path, once, host__name=None) == text


def test_lines_end_as_they_did(tmp_path: Path) -> None:
    done = change(tmp_path, "[run]\r\nrest = 5\r\n", run__log_mb=1, host__tags=["a", "b"])

    assert done == '[run]\r\nrest = 5\r\nlog_mb = 1\r\n\r\n[host]\r\ntags = ["a", "b"]\r\n'


def test_setting_moves_from_its_old_name_into_its_section(tmp_path: Path) -> None:
    done = change(tmp_path, "model = 'x'  # mine\nlease_ttl = 700\n", model="opus")

    assert done == 'lease_ttl = 700\n\n[agent]\nmodel = "opus"\n'


@pytest.mark.parametrize("text", ["run = 5\n", "[[run]]\nrest = 1\n", "[run\n", "\ufeff[run]\n"])
def test_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInputError, match=r"config\.toml"):
        change(tmp_path, text, run__time_limit=70)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("model = 'x'", 0o644),
        ("[broker]\nurl = 'redis://127.0.0.1/0'", 0o644),
        ("[broker]\nurl = 'redis://:pw@127.0.0.1/0'", 0o600),
        ("[github]\ntoken = 'x'", 0o600),
    ],
)
def test_file_keeps_its_mode_unless_it_holds_a_secret(tmp_path: Path, text: str, mode: int) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(0o644)
    with replacing(path, text, mode_for(path, text)):
        pass

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert mode_for(tmp_path / "none", text) == 0o600


def test_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target, link = tmp_path / "dotfiles" / "cw.toml", tmp_path / "config.toml"
    target.write_text("old")
    link.symlink_to(target)

    with replacing(link, "new"):
        pass

    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list((tmp_path / "dotfiles").iterdir()) == [target]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "config.toml"
    os.mkfifo(pipe)

    with pytest.raises(BadInputError, match="is no file"), replacing(pipe, "new"):
        pass

    assert stat.S_ISFIFO(pipe.stat().st_mode)
