"""Guards at what is read of GitHub's lists."""

from __future__ import annotations

from typing import Any

from cw.github import listing
from cw.github.client import GitHub
from cw.github.listing import ListReader
from tests.mutants import Mutant

_PLACE = "tests/integration/test_github_pages.py::"


def _first_page_only() -> None:
    listing._MAX_PAGES = 1


def _first_comments_only() -> None:
    asked = GitHub.graphql

    def first(self: GitHub, *given: Any, **told: Any) -> Any:
        data = asked(self, *given, **told)
        data["repository"]["issueOrPullRequest"]["comments"]["pageInfo"]["hasNextPage"] = False
        return data

    GitHub.graphql = first  # type: ignore[method-assign,assignment]


def _etags_without_token() -> None:
    def key(self: ListReader, path: str, parameters: dict[str, Any]) -> str:
        return f"{path}?{sorted(parameters.items())}"

    ListReader._key = key  # type: ignore[method-assign]


MUTANTS = {
    "lists without their second page": Mutant(
        f"{_PLACE}test_list_is_read_to_its_last_page", _first_page_only
    ),
    "comments without their second page": Mutant(
        f"{_PLACE}test_comment_that_is_on_a_later_page_is_not_posted_again", _first_comments_only
    ),
    "ETags are kept without their token": Mutant(
        f"{_PLACE}test_what_one_token_was_told_is_not_kept_as_anothers_answer",
        _etags_without_token,
    ),
}
