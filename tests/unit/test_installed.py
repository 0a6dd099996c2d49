"""How this cw was installed is read from the marks that pip, pipx and uv leave."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from cw.services.installed import PACKAGE, Installed, commands, how_to_add, read_installed

PYTHON = "/env/bin/python"
PIP = (PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input")


def read(prefix: Path, origin: Any = None, *, has_pip: bool = True) -> Installed:
    text = json.dumps(origin) if origin else ""
    return read_installed(text, prefix=prefix, python=PYTHON, has_pip=has_pip)


def test_plain_environment_is_upgraded_with_its_own_pip(tmp_path: Path) -> None:
    assert commands(read(tmp_path)) == [(*PIP, "--upgrade", PACKAGE)]


def test_environment_without_pip_is_uvs(tmp_path: Path) -> None:
    found = read(tmp_path, has_pip=False)

    assert commands(found) == [("uv", "pip", "install", "--python", PYTHON, "--upgrade", PACKAGE)]


@pytest.mark.parametrize(
    ("mark", "command"),
    [
        ("pipx_metadata.json", ("pipx", "upgrade", PACKAGE)),
        ("uv-receipt.toml", ("uv", "tool", "upgrade", PACKAGE)),
    ],
)
def test_tools_that_own_the_environment_are_asked(
    tmp_path: Path, mark: str, command: tuple[str, ...]
) -> None:
    (tmp_path / mark).touch()

    assert commands(read(tmp_path)) == [command]


@pytest.mark.parametrize(
    ("mark", "again"),
    [
        ("", (*PIP, "--editable")),
        ("pipx_metadata.json", ("pipx", "install", "--force", "--editable")),
        ("uv-receipt.toml", ("uv", "tool", "install", "--force", "--editable")),
    ],
)
def test_checkout_is_pulled_and_installed_again(
    tmp_path: Path, mark: str, again: tuple[str, ...]
) -> None:
    checkout = tmp_path / "my checkout"
    (checkout / ".git").mkdir(parents=True)
    if mark:
        (tmp_path / mark).touch()

    found = read(tmp_path, {"url": checkout.as_uri(), "dir_info": {"editable": True}})

    assert commands(found) == [
        ("git", "-C", str(checkout), "pull", "--ff-only"),
        (*again, str(checkout)),
    ]
    assert f"git checkout {checkout}" in found.describe()


@pytest.mark.parametrize(
    ("mark", "again"),
    [
        ("", PIP),
        ("pipx_metadata.json", ("pipx", "install", "--force")),
        (
            "uv-receipt.toml",
            ("uv", "tool", "install", "--force", "--reinstall-package", PACKAGE),
        ),
    ],
)
def test_folder_it_was_installed_from_is_installed_again_with_the_extras_that_are_there(
    tmp_path: Path, mark: str, again: tuple[str, ...]
) -> None:
    (tmp_path / "pyproject.toml").touch()
    if mark:
        (tmp_path / mark).touch()
    origin = json.dumps({"url": tmp_path.as_uri(), "dir_info": {}})

    found = read_installed(
        origin, prefix=tmp_path, python=PYTHON, has_pip=True, extras=("claude", "gh")
    )

    assert commands(found) == [(*again, f"{tmp_path}[claude,gh]")]
    assert found.describe().startswith(f"from the folder {tmp_path}")


def test_folder_without_git_is_only_installed_again(tmp_path: Path) -> None:
    found = read(tmp_path, {"url": tmp_path.as_uri(), "dir_info": {"editable": True}})

    assert commands(found) == [(*PIP, "--editable", str(tmp_path))]


def test_git_url_is_asked_again(tmp_path: Path) -> None:
    origin = {
        "url": "https://git.example.invalid/cw.git",
        "vcs_info": {"vcs": "git", "commit_id": "c0ffee", "requested_revision": "main"},
    }

    assert commands(read(tmp_path, origin))[0][-1] == (
        f"{PACKAGE} @ git+https://git.example.invalid/cw.git@main"
    )


@pytest.mark.parametrize(
    "origin",
    [{"url": "file:///wheels/cw.whl", "archive_info": {}}, {"url": "file:///src", "dir_info": {}}],
)
def test_file_it_came_from_is_not_asked_again(tmp_path: Path, origin: Any) -> None:
    assert commands(read(tmp_path, origin)) == [(*PIP, "--upgrade", PACKAGE)]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"dir_info": 3}'])
def test_mark_that_cannot_be_read_counts_as_none(tmp_path: Path, text: str) -> None:
    found = read_installed(text, prefix=tmp_path, python=PYTHON, has_pip=True)

    assert commands(found) == [(*PIP, "--upgrade", PACKAGE)]


@pytest.mark.parametrize(
    ("mark", "has_pip", "typed"),
    [
        ("", True, "/venv/bin/python -m pip install 'claude-workers[gh,claude]'"),
        ("", False, "uv pip install --python /venv/bin/python 'claude-workers[gh,claude]'"),
        ("pipx_metadata.json", True, "pipx install --force 'claude-workers[gh,claude]'"),
        ("uv-receipt.toml", False, "uv tool install --force 'claude-workers[gh,claude]'"),
    ],
)
def test_missing_extra_is_added_to_those_that_are_there(
    tmp_path: Path, mark: str, has_pip: bool, typed: str
) -> None:
    if mark:
        (tmp_path / mark).touch()
    found = read_installed(
        "", prefix=tmp_path, python="/venv/bin/python", has_pip=has_pip, extras=("gh",)
    )

    assert how_to_add("claude", found) == typed


def test_missing_extra_of_a_checkout_is_added_from_there(tmp_path: Path) -> None:
    found = read(tmp_path, {"url": tmp_path.as_uri(), "dir_info": {"editable": True}})

    assert how_to_add("claude", found) == shlex.join((*PIP, "--editable", f"{tmp_path}[claude]"))
