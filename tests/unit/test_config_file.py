"""config.toml in sections, and by the names of before there were any."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cw.cli.commands.config import command
from cw.config_file import parse
from cw.errors import BadInputError
from cw.sections.setting import SECTIONS
from cw.settings import TABLE, load_settings

PATH = Path("/here/config.toml")


def texts(text: str) -> dict[str, str]:
    return parse(text, PATH, TABLE).texts


def test_every_setting_has_one_place_and_every_section_settings() -> None:
    assert len({row.dotted for row in TABLE}) == len({row.name for row in TABLE}) == len(TABLE)
    assert {row.section for row in TABLE} == set(SECTIONS)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", row.dotted) for row in TABLE)


def test_no_name_of_a_setting_is_also_a_section_or_a_verb() -> None:
    """At the top of the file, and behind `cw config`, they stand in the same place."""
    names = {typed for row in TABLE for typed in (row.name, row.dotted, row.variable.lower())}

    assert names.isdisjoint(SECTIONS)
    assert (names | SECTIONS.keys()).isdisjoint(command.commands)


@pytest.mark.parametrize(
    "text",
    [
        "[run]\ntime_limit = 60\n[agent]\nmodel = 'opus'",
        "run.time_limit = 60\nagent.model = 'opus'",
        "run = {time_limit = 60}\nagent = {model = 'opus'}",
        "[run]\r\ntime_limit = 60\r\n[agent]\r\nmodel = 'opus'\r\n",
        "run_time_limit = 60\nmodel = 'opus'",
        "model = 'opus'\n[run]\ntime_limit = 60",
    ],
)
def test_setting_is_read_however_toml_lets_one_write_it(text: str) -> None:
    assert texts(text) == {"run_time_limit": "60", "model": "opus"}


def test_every_setting_is_read_by_both_names() -> None:
    for row in TABLE:
        old, new = (
            parse(f"{row.name} = 'x'", PATH, TABLE),
            parse(f"{row.dotted} = 'x'", PATH, TABLE),
        )

        assert old.texts == new.texts == {row.name: "x"}
        assert (old.old, new.old) == ((row,), ())


def test_old_names_are_told_in_one_line_with_the_new_ones(tmp_path: Path) -> None:
    path, told = tmp_path / "config.toml", list[str]()
    path.write_text("run_time_limit = 60\nmodel = 'opus'\n[lease]\nttl = 700\n")

    settings, origin = load_settings({"CW_CONFIG": str(path)}, warn=told.append)

    assert (settings.run_time_limit, origin["run_time_limit"]) == (60, str(path))
    new = "run_time_limit is now time_limit in [run], model is now model in [agent]"
    assert told == [f"warning: {path} has old names: {new}"]
    path.write_text("[lease]\nttl = 700\n")
    load_settings({"CW_CONFIG": str(path)}, warn=told.append)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "run_time_limit = 1\nrun.time_limit = 1",
            "run_time_limit and run.time_limit are the same",
        ),
        ("[runs]\nx = 1", "there is no section [runs]. Did you mean: [run]"),
        ("[xyz]\nx = 1", "there is no section [xyz]. Sections: broker, fleet"),
        ("[run]\ntimelimit = 1", "run.timelimit. Did you mean: time_limit in [run]"),
        ("[run]\nrun_time_limit = 1", "run.run_time_limit. Did you mean: time_limit in [run]"),
        ("[run]\nmodel = 'x'", "run.model. Did you mean: model in [agent]"),
        ("modell = 'x'", "modell. Did you mean: model in [agent]"),
        ("xyz = 1", "no such setting: xyz. cw config lists them"),
        ("run = 5", "run is a section, not a value. Write [run]"),
        ("[[run]]\ntime_limit = 5", "run is a section, not a value"),
        ("[run.time_limit]\nx = 1", "run.time_limit is not one value"),
        ("agent.model = ['a', 'b']", "agent.model is not one value"),
        ("assign.repos = [['a/b']]", "assign.repos is not a list of texts"),
        ("agent.model = 2026-01-01", "agent.model is not one value"),
        ("[run]\nrest = 1\nrest = 2", "cannot be read"),
        ("[run]\nrest = 1\n[run]\nlog_mb = 2", "cannot be read"),
        ("x = " + "[" * 5000, "cannot be read"),
        ("run.max_turns = " + "9" * 5000, "cannot be read"),
    ],
)
def test_mistake_names_the_file_and_what_was_meant(text: str, says: str) -> None:
    with pytest.raises(BadInputError) as refused:
        texts(text)

    assert refused.value.line().startswith(f"{PATH}")
    assert says in refused.value.line()


def test_variable_wins_over_section_and_section_over_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[run]\ntime_limit = 60\nrest = 7\n")

    settings, origin = load_settings({"CW_CONFIG": str(path), "CW_RUN_TIME_LIMIT": "70"})

    assert (settings.run_time_limit, settings.run_rest, settings.run_log_mb) == (70, 7, 256)
    assert [origin[f"run_{name}"] for name in ("time_limit", "rest", "log_mb")] == [
        "CW_RUN_TIME_LIMIT",
        str(path),
        "default",
    ]


def test_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.symlink_to("gone.toml")

    with pytest.raises(BadInputError, match=r"is a link to gone\.toml, where there is nothing"):
        load_settings({"CW_CONFIG": str(path)})
