"""A person's own templates, laid over ours by `cw init` and `cw refresh`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def own(cw_environ: dict[str, str]) -> Path:
    """Beside config.toml."""
    return Path(cw_environ["CW_CONFIG"]).parent / "template"


def lay(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def home(env: dict[str, str], worker: str) -> Path:
    return Path(env["CW_WORKERS_ROOT"]) / worker


def test_files_for_all_and_for_one_are_laid_over_ours(
    cw: Cw, cw_environ: dict[str, str], own: Path
) -> None:
    lay(own, "all/.claude/CLAUDE.md", "Rules of worker {{worker}} in {{home}}\n")
    lay(own, "all/.claude/skills/shout/SKILL.md", "Shout\n")
    lay(own, "all/.config/picture", b"\x89\xff\x00")
    lay(own, "02/.claude/CLAUDE.md", "Rules of 02 alone\n")
    lay(own, "02/.gitconfig", "[user]\n\tname = Second\n")
    lay(own, "02/.zshenv", "export EDITOR=ed\n")
    lay(Path(cw_environ["HOME"]), ".gitconfig", "[user]\n\tname = Me\n")

    done = cw("init", "01..02", GH_TOKEN="ghp_x")

    assert done.returncode == 0, done.stderr
    first, second = home(cw_environ, "01"), home(cw_environ, "02")
    assert (first / ".claude/CLAUDE.md").read_text() == f"Rules of worker 01 in {first}\n"
    assert (first / ".claude/settings.json").is_file()  # ours
    assert (first / ".claude/skills/shout/SKILL.md").read_text() == "Shout\n"
    assert (first / ".config/picture").read_bytes() == b"\x89\xff\x00"
    assert "Me" in (first / ".gitconfig").read_text()
    assert (second / ".claude/CLAUDE.md").read_text() == "Rules of 02 alone\n"
    assert "Second" in (second / ".gitconfig").read_text()
    assert "export EDITOR=ed" in (second / ".zshenv").read_text()
    assert "export GH_TOKEN=ghp_x" in (second / ".zshenv").read_text()
    assert {one.stat().st_mode & 0o077 for one in second.rglob("*") if one.is_file()} == {0}


def test_refresh_brings_what_changed_there_and_keeps_what_was_changed_by_hand(
    cw: Cw, cw_environ: dict[str, str], own: Path
) -> None:
    assert cw("init", "01..02").returncode == 0
    rules = [home(cw_environ, one) / ".claude/CLAUDE.md" for one in ("01", "02")]
    ours = rules[0].read_text()
    rules[1].write_text("By hand\n")
    laid = lay(own, "all/.claude/CLAUDE.md", "Mine\n")
    lay(own, "all/.gitconfig", "[user]\n\tname = Laid\n")
    lay(Path(cw_environ["HOME"]), ".gitconfig", "[user]\n\tname = Me\n")

    done = cw("refresh", "01", "02", "--git")

    assert "worker 01: written again: .claude/CLAUDE.md, .gitconfig" in done.stdout
    assert [one.read_text() for one in rules] == ["Mine\n", "By hand\n"]
    assert rules[1].with_name("CLAUDE.md.new").read_text() == "Mine\n"
    assert "Laid" in (home(cw_environ, "01") / ".gitconfig").read_text()

    laid.unlink()
    assert cw("refresh", "01").returncode == 0
    assert rules[0].read_text() == ours.replace("/02", "/01")


@pytest.mark.parametrize("name", ["all/run/task.json", "01/.cw.json", "all/github/x", "01/tmp/x"])
def test_where_the_host_keeps_its_own_nothing_is_laid(
    cw: Cw, cw_environ: dict[str, str], own: Path, name: str
) -> None:
    path = lay(own, name, "{}")

    done = cw("init", "00..01")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cw: {path} would lie where the host keeps its own. Take it out\n"
    assert not home(cw_environ, "00").exists()


def test_link_that_leads_nowhere_is_named(cw: Cw, cw_environ: dict[str, str], own: Path) -> None:
    (own / "all").mkdir(parents=True)
    (own / "all" / "x").symlink_to("nowhere")

    done = cw("init", "01")

    assert done.returncode == 1
    assert done.stderr == f"cw: {own}/all/x cannot be read: No such file or directory. Mend it\n"
    assert not home(cw_environ, "01").exists()
