"""What agents of a host that is root see of a folder of the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.errors import CwError
from tests.waiting import wait_until
from workerhost.walls.rootonly import for_all


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    for name in ("plain/file", "mixed/shown", "mixed/deep/shown"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x", "utf-8")
    (folder / "link").symlink_to("plain/file")
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    return folder


def shown(folder: Path) -> set[str]:
    """What the copy has, by path."""
    word, copy, place = for_all(str(folder), folder.parent / "kept")
    assert (word, place) == ("--ro-bind", str(folder))
    return {str(path.relative_to(copy)) for path in Path(copy).rglob("*")}


EVERYTHING = {
    "link", "mixed", "mixed/deep", "mixed/deep/shown", "mixed/shown", "plain", "plain/file",
}  # fmt: skip


def test_what_is_for_all_is_there_as_it_is(folder: Path) -> None:
    assert shown(folder) == EVERYTHING

    copy = Path(for_all(str(folder), folder.parent / "kept")[1])
    assert (copy / "link").readlink() == Path("plain/file")
    assert (copy / "plain" / "file").read_text("utf-8") == "x"
    assert copy.stat().st_mode & 0o777 == 0o755


def test_what_is_not_for_all_is_left_out(folder: Path) -> None:
    for name, mode in (("shadow", 0o640), ("mixed/deep/key", 0o600)):
        (folder / name).touch()
        (folder / name).chmod(mode)
    for name, mode in (("private", 0o700), ("hidden", 0o711)):
        (folder / name).mkdir()
        (folder / name / "open").touch(0o644)
        (folder / name).chmod(mode)

    assert shown(folder) == EVERYTHING


def test_change_makes_another_copy_and_the_old_one_stays_for_its_runs(folder: Path) -> None:
    shown(folder)
    (folder / "plain" / "file").write_text("changed", "utf-8")
    wait_until(lambda: len(copies(folder)) == 2, what="a copy of what was changed")

    assert {(one / "plain" / "file").read_text("utf-8") for one in copies(folder)} == {
        "x",
        "changed",
    }


def copies(folder: Path) -> list[Path]:
    shown(folder)
    return list((folder.parent / "kept").iterdir())


def test_copy_that_cannot_be_made_is_said_to_be_missing(folder: Path) -> None:
    (folder.parent / "kept").write_text("in the way", "utf-8")

    with pytest.raises(CwError, match="no copy of"):
        for_all(str(folder), folder.parent / "kept")
