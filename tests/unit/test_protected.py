"""Which paths need a person's eye."""

from __future__ import annotations

import pytest

from workerhost.clones.protected import protected


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/workflows/deep/x.yml",
        ".GitHub/Workflows/ci.yml",
        "CLAUDE.md",
        "claude.md",
        "docs/CLAUDE.md",
        "AGENTS.md",
        ".claude/settings.json",
        "pkg/.claude/commands/x.md",
        ".claude",
        ".mcp.json",
    ],
)
def test_what_runs_and_what_agents_are_told_is_protected_always(path: str) -> None:
    assert protected([path], []) == (path,)


@pytest.mark.parametrize(
    "path",
    ["src/app.py", "x/.github/workflows/ci.yml", ".github/CODEOWNERS", "CLAUDE.md.txt", "mcp.json"],
)
def test_other_paths_are_not(path: str) -> None:
    assert protected([path], []) == ()


def test_more_patterns_add_and_may_take_back() -> None:
    paths = ["deploy/a.sh", "Dockerfile", "docs/AGENTS.md", "AGENTS.md", "src/a.py"]

    assert protected(paths, ["/deploy/", "dockerfile", "!/docs/AGENTS.md"]) == (
        "deploy/a.sh",
        "Dockerfile",
        "AGENTS.md",
    )
