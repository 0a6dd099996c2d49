"""Reviews of pull requests by GitHub's REST API, their diffs, and closing them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from cw.errors import GitHubRefusedError
from cw.forges.reviewing import MOST, Diff, Opinion, OwnPullError
from cw.github.errors import github_errors, raise_for
from cw.github.expected import ROWS, Expected
from cw.github.pulls import Pulls

_DIFF = "application/vnd.github.diff"
_TOO_LARGE = 406  # over 300 files, 20,000 lines or 1 MB
_INVALID = 422
_EVENTS = {Opinion.APPROVE: "APPROVE", Opinion.CHANGES: "REQUEST_CHANGES"}
_OWN = "your own pull request"  # "Can not approve your own pull request"


class Reviews(Pulls):
    """What `cw.forges.reviewing.Reviewing` asks for."""

    def diff(self, repo: str, number: int, most: int = MOST) -> Diff:
        what = f"diff of pull request {repo}#{number}"
        with github_errors(what):
            path = f"/repos/{repo}/pulls/{number}"
            found = self._at(repo).read_text(path, _DIFF, most)
            if found.status == _TOO_LARGE:
                return Diff("", cut=True)
            raise_for(found.status, found.data, found.headers, what)
            text = str(found.data)
            return Diff(text[:most], cut=len(text) > most)

    def review(self, repo: str, number: int, *, head: str, opinion: Opinion, body: str) -> None:
        what, path = f"pull request {repo}#{number}", f"/repos/{repo}/pulls/{number}/reviews"
        asked = {"commit_id": head, "event": _EVENTS[opinion], **({"body": body} if body else {})}
        with github_errors(what):
            said = self.ask(what, repo, "POST", path, asked, Expected(taken=(_INVALID,)))
            if said.status == _INVALID:
                raise _refused(said.data)

    def start_thread(self, repo: str, number: int, *, head: str, body: str) -> None:
        what, path = f"pull request {repo}#{number}", f"/repos/{repo}/pulls/{number}"
        with github_errors(what):
            query = urlencode({"per_page": 1})
            files = self.ask(what, repo, "GET", f"{path}/files?{query}", expected=ROWS).data
            if not files:
                raise GitHubRefusedError("it changes no file that a thread could be about")
            about = {"path": files[0]["filename"], "subject_type": "file", "commit_id": head}
            said = self.ask(
                what,
                repo,
                "POST",
                f"{path}/comments",
                {"body": body, **about},
                Expected(taken=(_INVALID,)),
            )
            if said.status == _INVALID:
                raise _refused(said.data)

    def close(self, repo: str, number: int) -> None:
        what = f"pull request {repo}#{number}"
        self.ask(what, repo, "PATCH", f"/repos/{repo}/pulls/{number}", {"state": "closed"})


def _refused(data: Any) -> GitHubRefusedError:
    """Of a 422, whose errors are objects or plain words."""
    errors = data.get("errors") or ()
    said = [one.get("message", "") if isinstance(one, dict) else str(one) for one in errors]
    text = "; ".join(filter(None, said)) or str(data.get("message", ""))
    family = OwnPullError if _OWN in text.lower() else GitHubRefusedError
    return family(f"GitHub refused: {text}")
