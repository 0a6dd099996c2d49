"""A host in 600 MB of memory outlives the clones that its agents leave (`oversized`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.oversized import CLONES
from tests.integration.smallhost import outlives


@pytest.mark.timeout(900)
def test_host_outlives_the_clones_of_its_agents(git_repo: Path) -> None:
    outlives(CLONES, git_repo)
