"""A worker's HOME is made whole and private, or not at all."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.credentials.agentenv import own_variables
from cw.errors import BadInputError, CwError
from cw.homes.home import check_new, make_home, templates_dir, tokens_in
from cw.homes.layout import Home, homes

TEMPLATES = templates_dir()


def modes(home: Home) -> set[tuple[bool, int]]:
    found = [home.path, *home.path.rglob("*")]
    return {(one.is_dir(), stat.S_IMODE(one.stat().st_mode)) for one in found}


def test_home_has_identity_rules_and_every_folder(tmp_path: Path) -> None:
    home = make_home(tmp_path / "workers", "01", {}, TEMPLATES)

    rules = (home.claude / "CLAUDE.md").read_text("utf-8")
    assert rules.startswith("# Worker 01\n")
    assert str(home.path) in rules
    assert "{{" not in rules
    assert "Fixes #N" in rules
    for folder in ("commands", "agents", "skills", "hooks"):
        assert (home.claude / folder).is_dir()
    for one in (home.clones, home.completed, home.run, home.tmp):
        assert one.is_dir()


def test_settings_of_a_new_home_are_valid_json(tmp_path: Path) -> None:
    home = make_home(tmp_path, "01", {}, TEMPLATES)

    found = json.loads((home.claude / "settings.json").read_bytes())

    assert found["permissions"]["defaultMode"] == "dontAsk"


def test_marker_makes_it_a_home(tmp_path: Path) -> None:
    made = make_home(tmp_path, "docs-fixer", {}, TEMPLATES)

    marker = json.loads(made.marker.read_bytes())

    assert marker["id"] == "docs-fixer"
    assert set(marker) == {"id", "created_at", "version", "files"}
    assert homes(tmp_path) == [made]


def test_everything_is_private_under_any_umask(tmp_path: Path) -> None:
    user = tmp_path / "user"
    (user / ".ssh" / "keys").mkdir(parents=True)
    (user / ".ssh" / "keys" / "id").write_text("key", "utf-8")
    (user / ".gitconfig").write_text("[user]", "utf-8")
    before = os.umask(0)
    try:
        home = make_home(tmp_path / "w", "01", {"HOME": str(user)}, TEMPLATES)
    finally:
        os.umask(before)

    assert modes(home) == {(True, 0o700), (False, 0o600)}
    assert (home.path / ".ssh" / "keys" / "id").read_text("utf-8") == "key"
    assert (home.path / ".gitconfig").read_text("utf-8") == "[user]"


def test_tokens_of_the_caller_are_taken_over_and_others_left_as_comments(tmp_path: Path) -> None:
    environ = {"GH_TOKEN": "gh-1", "ANTHROPIC_API_KEY": "a b$(id)#c", "OTHER": "x"}

    home = make_home(tmp_path, "01", environ, TEMPLATES)

    text = home.zshenv.read_text("utf-8")
    assert "# export CLAUDE_CODE_OAUTH_TOKEN=\n" in text
    assert "OTHER" not in text
    expected = {"GH_TOKEN": "gh-1", "ANTHROPIC_API_KEY": "a b$(id)#c"}
    assert expected == own_variables(home)


def test_a_shell_reads_the_same_tokens(tmp_path: Path) -> None:
    home = make_home(tmp_path, "01", {"GH_TOKEN": 'a"b $(touch x)'}, TEMPLATES)

    shown = subprocess.run(
        ["sh", "-c", '. ./.zshenv; printf %s "$GH_TOKEN"'],
        cwd=home.path,
        capture_output=True,
        check=True,
    )

    assert shown.stdout == b'a"b $(touch x)'
    assert not (home.path / "x").exists()


def test_github_token_stands_in_for_gh_token() -> None:
    assert tokens_in({"GITHUB_TOKEN": "g"}) == {"GH_TOKEN": "g"}
    assert tokens_in({"GITHUB_TOKEN": "g", "GH_TOKEN": "h"}) == {"GH_TOKEN": "h"}


def test_token_of_two_lines_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="GH_TOKEN holds control characters") as caught:
        make_home(tmp_path / "w", "01", {"GH_TOKEN": "secret\nexport PATH=/x"}, TEMPLATES)

    assert "secret" not in caught.value.line()
    assert not (tmp_path / "w").exists()


def test_links_that_leave_the_users_home_are_not_followed(tmp_path: Path) -> None:
    user, outside = tmp_path / "user", tmp_path / "outside"
    (user / ".ssh").mkdir(parents=True)
    (user / "dotfiles").mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret", "utf-8")
    (user / "dotfiles" / "gitconfig").write_text("[user]", "utf-8")
    (user / ".gitconfig").symlink_to("dotfiles/gitconfig")
    (user / ".ssh" / "config").symlink_to(outside / "secret")
    (user / ".ssh" / "more").symlink_to(outside)
    os.mkfifo(user / ".ssh" / "pipe")

    home = make_home(tmp_path / "w", "01", {"HOME": str(user)}, TEMPLATES)

    assert (home.path / ".gitconfig").read_text("utf-8") == "[user]"
    assert not (home.path / ".gitconfig").is_symlink()
    assert list((home.path / ".ssh").iterdir()) == []


def test_existing_home_is_left_as_it_is(tmp_path: Path) -> None:
    home = make_home(tmp_path, "01", {}, TEMPLATES)
    home.zshenv.write_text("mine", "utf-8")

    with pytest.raises(BadInputError, match="already exists"):
        make_home(tmp_path, "01", {}, TEMPLATES)

    assert home.zshenv.read_text("utf-8") == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["01"]


def test_empty_folder_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "01").mkdir()

    with pytest.raises(BadInputError, match="already exists"):
        make_home(tmp_path, "01", {}, TEMPLATES)

    assert list((tmp_path / "01").iterdir()) == []


def test_links_in_place_of_root_or_home_are_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "root").symlink_to(real)
    (real / "02").symlink_to(tmp_path / "nowhere")

    for root, name in ((tmp_path / "root", "01"), (real, "02")):
        with pytest.raises(BadInputError, match="symbolic link"):
            make_home(root, name, {}, TEMPLATES)

    assert [one.name for one in real.iterdir()] == ["02"]


def test_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "templates"
    broken.mkdir()
    (broken / "a").write_text("fine", "utf-8")
    own = tmp_path / "own"
    (own / "all" / "a").mkdir(parents=True)
    (own / "all" / "a" / "b").write_text("where a file is already", "utf-8")

    with pytest.raises(CwError, match="cannot be made"):
        make_home(tmp_path / "w", "01", {}, broken, own)

    assert list((tmp_path / "w").iterdir()) == []


@given(st.text(max_size=40) | st.sampled_from(["../../etc", "/etc", ".", "..", "a/b", "01\n", ""]))
def test_no_accepted_id_leaves_the_root(name: str) -> None:
    root = Path("/nonexistent/workers")
    try:
        check_new(root, name)
    except BadInputError:
        return

    assert (root / name).parent == root
    assert os.path.normpath(root / name) == str(root / name)
