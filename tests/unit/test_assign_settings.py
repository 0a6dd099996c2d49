"""Settings of assign, from the file and from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.operations.passes.scope import named_repos, require_configured
from cw.settings import Settings, load_settings


def test_lists_of_labels_and_repositories_are_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[assign]\nrepos = ["acme/app", "acme/site"]\n'
        'priority_labels = ["prio: now", "good first issue"]\n'
        '[sandbox]\nread = ["/opt/a b", "/opt/c"]\n'
    )

    from_file, _ = load_settings({"CW_CONFIG": str(file)})
    from_env, _ = load_settings(
        {
            "CW_CONFIG": str(file),
            "CW_ASSIGN_REPOS": "acme/one, acme/two",
            "CW_ASSIGN_PRIORITY_LABELS": "prio: now, P1",
        }
    )

    assert from_file.assign_repos == ("acme/app", "acme/site")
    assert from_file.assign_priority_labels == ("prio: now", "good first issue")
    assert from_file.sandbox_read == (Path("/opt/a b"), Path("/opt/c"))
    assert from_env.assign_repos == ("acme/one", "acme/two")
    assert from_env.assign_priority_labels == ("prio: now", "P1")


def test_what_is_not_on_github_is_refused_by_name() -> None:
    with pytest.raises(BadInputError, match=r"assign.repos: .* is not on GitHub"):
        named_repos(Settings(assign_repos=("https://example.invalid/x",)))


def test_one_of_both_is_enough() -> None:
    require_configured(Settings(assign_owner="acme"))
    with pytest.raises(BadInputError, match="no repositories to assign from"):
        require_configured(Settings())
