"""What of GitHub may be read conditionally, as `cw.forges.reading.Reader` asks for it."""

from __future__ import annotations

from cw.forges.issues import LabelEvent, Listed, Thread
from cw.github import listing, places
from cw.github.listing import ListReader
from cw.github.thread import read_thread


class GitHubReader(ListReader):
    def open_issues(self, repo: str, repo_id: int = 0) -> list[Listed]:
        return listing.open_issues(self, repo, repo_id)

    def closed_lately(self, repo: str, repo_id: int = 0) -> list[Listed]:
        return listing.closed_lately(self, repo, repo_id)

    def label_events(self, repo: str, number: int) -> list[LabelEvent]:
        return listing.label_events(self, repo, number)

    def thread(self, repo: str, number: int) -> Thread:
        return read_thread(self.github, repo, number)

    def is_open(self, repo: str, number: int) -> bool:
        return places.is_open(self, repo, number)

    def knows_issue(self, repo: str, number: int) -> bool:
        return self.known(places.issue_path(repo, number))

    def pull_state(self, repo: str, number: int) -> str:
        return places.pull_state(self, repo, number)

    def may_write(self, repo: str, login: str) -> bool:
        return places.may_write(self, repo, login)

    def knows_rights(self, repo: str, login: str) -> bool:
        return self.known(places.permission_path(repo, login))

    def own_login(self) -> str:
        return places.own_login(self)

    def repos_of(self, owner: str) -> list[str]:
        return places.repos_of(self, owner)
