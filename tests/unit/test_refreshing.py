"""A HOME is brought up to date without losing a line that was made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.credentials.agentenv import own_variables
from cw.errors import CwError
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.homes.refreshing import merge_tokens, refresh_git, refresh_rules, refresh_tokens

RULES = ".claude/CLAUDE.md"
SETTINGS = ".claude/settings.json"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    (folder / ".claude").mkdir(parents=True)
    (folder / RULES).write_text("I am {{worker}}.\n")
    (folder / SETTINGS).write_text("{}\n")
    (folder / ".zshenv").write_text("{{tokens}}\n")
    return folder


@pytest.fixture
def home(tmp_path: Path, templates: Path) -> Home:
    return make_home(tmp_path / "workers", "01", {"GH_TOKEN": "old"}, templates)


def test_nothing_changed_writes_nothing(home: Home, templates: Path) -> None:
    before = {one: one.stat().st_mtime_ns for one in home.claude.rglob("*")}

    done = refresh_rules(home, templates)

    assert (done.updated, done.kept, done.offered, done.added) == ((), (), (), ())
    assert {one: one.stat().st_mtime_ns for one in home.claude.rglob("*")} == before


def test_new_template_replaces_what_nobody_touched(home: Home, templates: Path) -> None:
    (templates / RULES).write_text("Newer, {{worker}}.\n")

    assert refresh_rules(home, templates).updated == (RULES,)
    assert (home.path / RULES).read_text() == "Newer, 01.\n"
    assert refresh_rules(home, templates).updated == ()


def test_new_template_is_put_beside_what_was_changed_by_hand(home: Home, templates: Path) -> None:
    (home.path / RULES).write_text("Mine.\n")
    assert refresh_rules(home, templates).offered == ()
    (templates / RULES).write_text("Newer, {{worker}}.\n")

    for _ in range(2):
        done = refresh_rules(home, templates)

        assert (done.kept, done.offered, done.updated) == ((RULES,), (f"{RULES}.new",), ())
        assert (home.path / RULES).read_text() == "Mine.\n"
        assert (home.path / f"{RULES}.new").read_text() == "Newer, 01.\n"


def test_offer_goes_once_it_was_taken(home: Home, templates: Path) -> None:
    (home.path / RULES).write_text("Mine.\n")
    (templates / RULES).write_text("Newer, {{worker}}.\n")
    refresh_rules(home, templates)
    (home.path / f"{RULES}.new").replace(home.path / RULES)

    done = refresh_rules(home, templates)

    assert (done.kept, done.offered) == ((), ())
    assert not (home.path / f"{RULES}.new").exists()
    (templates / RULES).write_text("Newest.\n")
    assert refresh_rules(home, templates).updated == (RULES,)


def test_home_of_an_older_version_keeps_what_differs(home: Home, templates: Path) -> None:
    marker = json.loads(home.marker.read_text())
    del marker["files"]
    home.marker.write_text(json.dumps(marker))
    (templates / RULES).write_text("Newer.\n")

    done = refresh_rules(home, templates)

    assert (done.kept, done.updated) == ((RULES,), ())
    assert json.loads(home.marker.read_text())["id"] == "01"


def test_missing_file_comes_back(home: Home, templates: Path) -> None:
    (home.path / SETTINGS).unlink()

    assert refresh_rules(home, templates).updated == (SETTINGS,)


def test_own_commands_and_skills_are_reported_and_kept(home: Home, templates: Path) -> None:
    own = home.claude / "skills" / "greet" / "SKILL.md"
    own.parent.mkdir()
    own.write_text("Say hello.\n")

    assert refresh_rules(home, templates).added == (".claude/skills/greet/SKILL.md",)
    assert own.read_text() == "Say hello.\n"


def test_link_is_kept_and_nothing_is_written_through_it(
    home: Home, templates: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.md"
    shared.write_text("Shared.\n")
    (home.path / RULES).unlink()
    (home.path / RULES).symlink_to(shared)
    (templates / RULES).write_text("Newer.\n")

    assert refresh_rules(home, templates).kept == (RULES,)
    assert shared.read_text() == "Shared.\n"


def test_folder_that_leads_out_of_home_is_refused(
    home: Home, templates: Path, tmp_path: Path
) -> None:
    home.claude.rename(tmp_path / "elsewhere")
    home.claude.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(CwError, match="leads out"):
        refresh_rules(home, templates)


def test_tokens_are_set_and_every_other_line_stays(home: Home, templates: Path) -> None:
    text = home.zshenv.read_text()
    home.zshenv.write_text(f"# mine\nexport OTHER='a b'\n{text}export LAST=1")

    names = refresh_tokens(home, templates, {"GH_TOKEN": "n#e w", "ANTHROPIC_API_KEY": "key"})

    assert names == ("GH_TOKEN", "ANTHROPIC_API_KEY")
    expected = {"OTHER": "a b", "GH_TOKEN": "n#e w", "ANTHROPIC_API_KEY": "key", "LAST": "1"}
    assert own_variables(home) == expected
    assert home.zshenv.read_text().startswith("# mine\nexport OTHER='a b'\n")
    assert home.zshenv.stat().st_mode & 0o777 == 0o600
    assert refresh_tokens(home, templates, {"GH_TOKEN": "n#e w"}) == ()


def test_missing_login_file_is_made_again(home: Home, templates: Path) -> None:
    home.zshenv.unlink()

    assert refresh_tokens(home, templates, {"GH_TOKEN": "new"}) == ("GH_TOKEN",)
    assert own_variables(home) == {"GH_TOKEN": "new"}


_NAMES = st.sampled_from(["GH_TOKEN", "ANTHROPIC_API_KEY", "OTHER", "X1"])
_LETTERS = st.characters(codec="ascii", exclude_categories=["C"], exclude_characters="'\\")
_VALUES = st.text(_LETTERS, min_size=1, max_size=12)


@given(
    lines=st.lists(st.tuples(_NAMES, st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True))),
    tokens=st.dictionaries(st.sampled_from(["GH_TOKEN", "ANTHROPIC_API_KEY"]), _VALUES),
)
def test_merged_text_sets_the_tokens_and_changes_nothing_else(
    lines: list[tuple[str, str]], tokens: dict[str, str]
) -> None:
    from io import StringIO

    from dotenv import dotenv_values

    text = "".join(f"export {name}={value}\n" for name, value in lines)

    merged, _ = merge_tokens(text, tokens)

    assert dotenv_values(stream=StringIO(merged), interpolate=False) == dict(lines) | tokens
    others = [one for one in text.splitlines() if not any(name in one for name in tokens)]
    assert [one for one in merged.splitlines() if one in others] == others
    assert merge_tokens(merged, tokens) == (merged, ())


def test_git_files_are_copied_again_and_own_keys_stay(home: Home, tmp_path: Path) -> None:
    user = tmp_path / "user"
    (user / ".ssh").mkdir(parents=True)
    (user / ".ssh" / "config").write_text("Host *\n")
    (user / ".gitconfig").write_text("[user]\n")
    (home.path / ".gitconfig").write_text("old")
    (home.path / ".ssh").mkdir()
    (home.path / ".ssh" / "deploy").write_text("key")

    refresh_git(home, user)

    assert (home.path / ".gitconfig").read_text() == "[user]\n"
    assert (home.path / ".ssh" / "config").read_text() == "Host *\n"
    assert (home.path / ".ssh" / "deploy").read_text() == "key"


def test_shipped_templates_are_up_to_date_in_a_new_home(tmp_path: Path) -> None:
    home = make_home(tmp_path / "w", "01", {}, templates_dir())

    done = refresh_rules(home, templates_dir())

    assert (done.updated, done.kept) == ((), ())
