"""What agents of a host that is root see of a folder of the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from workerhost.rootonly import for_all


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


def shown(folder: Path) -> dict[str, str]:
    """By path below the folder: with which option."""
    words = for_all(str(folder))
    found, at = {}, 0
    while at < len(words):
        count = 2 if words[at] in {"--tmpfs", "--dir"} else 3
        found[str(Path(words[at + count - 1]).relative_to(folder))] = words[at]
        at += count
    return found


def test_folder_in_which_everything_is_for_all_is_bound_whole(folder: Path) -> None:
    assert shown(folder) == {".": "--ro-bind"}


def test_what_is_not_for_all_is_left_out_and_nothing_is_mounted_over_it(folder: Path) -> None:
    """Who replaces a file takes away what was mounted over it."""
    for name, mode in (("shadow", 0o640), ("mixed/deep/key", 0o600)):
        (folder / name).touch()
        (folder / name).chmod(mode)
    for name, mode in (("private", 0o700), ("hidden", 0o711)):
        (folder / name).mkdir()
        (folder / name / "open").touch(0o644)
        (folder / name).chmod(mode)

    assert shown(folder) == {
        ".": "--tmpfs",
        "link": "--symlink",
        "mixed": "--dir",
        "mixed/deep": "--dir",
        "mixed/deep/shown": "--ro-bind-try",
        "mixed/shown": "--ro-bind-try",
        "plain": "--ro-bind-try",
    }
