"""A host that is root's: HOMEs become those of the user that agents run as, nothing else does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cw.errors import CwError
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.homes.owner import give_own, take_over
from tests.walls import USER

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
UID, GID = (USER.uid, USER.gid) if USER else (0, 0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "workers", "01", {}, templates_dir())


def test_home_that_root_made_becomes_the_agents(home: Home) -> None:
    (home.clones / "acme" / "app").mkdir(parents=True)

    take_over(home.path, UID, GID)

    assert {one.lstat().st_uid for one in (home.path, *home.path.rglob("*"))} == {UID}
    assert home.path.parent.stat().st_uid == 0


def test_what_has_a_name_elsewhere_or_lies_there_stays_roots(home: Home, tmp_path: Path) -> None:
    outside, linked, inside = tmp_path / "outside", tmp_path / "linked", home.tmp / "one"
    outside.mkdir()
    linked.write_text("of root", "utf-8")
    inside.write_text("of the agent", "utf-8")
    (home.tmp / "two").hardlink_to(inside)
    (home.tmp / "hard").hardlink_to(linked)
    (home.tmp / "soft").symlink_to(outside)

    take_over(home.path, UID, GID)

    assert (outside.stat().st_uid, linked.stat().st_uid) == (0, 0)
    assert ((home.tmp / "soft").lstat().st_uid, inside.stat().st_uid) == (UID, UID)


def test_home_of_somebody_else_is_refused(home: Home) -> None:
    os.chown(home.path, UID + 1, GID)

    with pytest.raises(CwError, match=f"user {UID + 1}") as error:
        take_over(home.path, UID, GID)

    assert "chown" in error.value.hint


def test_folder_that_an_agent_led_elsewhere_is_not_given(home: Home, tmp_path: Path) -> None:
    take_over(home.path, UID, GID)
    outside = tmp_path / "outside"
    (outside / "skills").mkdir(parents=True)
    home.claude.rename(home.path / "moved")
    home.claude.symlink_to(outside)

    give_own(home)

    assert {one.stat().st_uid for one in (outside, outside / "skills")} == {0}
