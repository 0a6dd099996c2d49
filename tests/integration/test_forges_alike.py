"""Where there is nothing to repair every forge says so by the same kind of error: whoever asks
needs no second rule for another one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cw.errors import GitHubRefusedError
from cw.forges.client import Client
from cw.github.client import GitHub
from tests.kept import Memory
from tests.standins.github import GitHubStandIn
from tests.standins.memory_forge.client import MemoryClient
from tests.standins.memory_forge.shelf import Kept, Shelf

REPO, HEAD, THREAD = "acme/app", "0" * 40, "PRRT_99"
REFUSED: dict[str, Callable[[Client], object]] = {
    "reviews": lambda forge: forge.threads(REPO, 99),
    "answer": lambda forge: forge.reply(REPO, 99, THREAD, "Done", "cw:m"),
    "resolve": lambda forge: forge.resolve(REPO, THREAD),
    "ready": lambda forge: forge.mark_ready(REPO, 99),
    "run again": lambda forge: forge.rerun(REPO, ["9/99"]),
    "nothing to run again": lambda forge: forge.rerun(REPO, [""]),
}


@pytest.fixture(params=["github", "memory"])
def forge(request: pytest.FixtureRequest, hub: GitHubStandIn) -> Client:
    if request.param == "github":
        return GitHub(hub.api_url, "bot-token", pace=0)
    return MemoryClient(Shelf(issues={(REPO, 1): Kept("The build fails", "ann")}))


@pytest.mark.parametrize("asked", REFUSED)
def test_what_is_not_there_is_refused(forge: Client, asked: str) -> None:
    with pytest.raises(GitHubRefusedError):
        REFUSED[asked](forge)


def test_unknown_commit_has_no_failures(forge: Client) -> None:
    assert forge.failures(REPO, HEAD, ["CI / test"], Memory()) == ()
