"""A host in 600 MB of memory outlives what its agents print, leave or start (`oversized`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.oversized import FILES, LINES, LOGS, REST
from tests.integration.smallhost import outlives


@pytest.mark.timeout(900)
def test_host_outlives_what_agents_make(git_repo: Path) -> None:
    outlives(LOGS | LINES | FILES | REST, git_repo)
