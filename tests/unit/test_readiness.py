"""What a repository itself says against work on it, each in words of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cw.errors import BadInputError
from cw.forges.repositories import Repository
from cw.operations.dispatch.readiness import refuse

FINE = Repository(
    id=7,
    name="acme/app",
    private=False,
    archived=False,
    disabled=False,
    issues=True,
    branch="main",
    push=True,
    role="push",
)


def test_repository_that_is_fine_is_not_refused() -> None:
    refuse(FINE, issues=True)
    refuse(replace(FINE, issues=False), issues=False)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"archived": True}, "acme/app is archived"),
        ({"disabled": True}, "GitHub has disabled acme/app"),
        ({"push": False, "role": "triage"}, "may only triage there"),
        ({"push": False, "role": "pull"}, "may only read there"),
        ({"push": False, "role": ""}, "may do nothing there"),
        ({"branch": ""}, "acme/app is empty"),
        ({"issues": False}, "issues are turned off for acme/app"),
    ],
)
def test_what_is_in_the_way_is_said_with_what_to_do(changed: dict[str, object], said: str) -> None:
    with pytest.raises(BadInputError, match=said) as refused:
        refuse(replace(FINE, **changed), issues=True)  # type: ignore[arg-type]

    assert refused.value.hint
