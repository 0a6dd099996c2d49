"""Issues, comments, commits and pull requests put in past every check, and looked at."""

from collections.abc import Iterable, Mapping

from . import gitrepo, pushes
from .access import Viewer
from .issue_actions import find_comment, next_number, rewrite_comment, set_open
from .label_actions import put_label, take_label
from .model import Comment, Issue, Repo, Token
from .places import Places
from .pull_actions import merge_pull, open_pull
from .snapshots import (
    CommentSnapshot,
    IssueSnapshot,
    PullSnapshot,
    comment_snapshot,
    issue_snapshot,
    pull_snapshot,
)


class Contents(Places):
    def add_issue(
        self,
        repo: str,
        title: str,
        body: str | None = None,
        *,
        author: str | None = None,
        labels: Iterable[str] = (),
        association: str | None = None,
        number: int | None = None,
        state: str = "open",
        blocked_by: int = 0,
    ) -> int:
        """The number; the author is the repository's owner unless named."""
        with self.state.lock:
            found = self.state.repo(repo)
            author, now = author or found.owner, self.state.now()
            issue = Issue(
                id=self.state.new_id(),
                number=number or next_number(found),
                title=title,
                body=body,
                author=author,
                association=association,
                created_at=now,
                updated_at=now,
                blocked_by=blocked_by,
            )
            self.state.add_issue(found, issue)
            for name in labels:
                self._put_label(found, issue, name, author)
            if state == "closed":
                pushes.close(self.state, issue, author)
            return issue.number

    def label_issue(self, repo: str, number: int, label: str, actor: str | None = None) -> None:
        """As a person does on the web page."""
        with self.state.lock:
            found = self.state.repo(repo)
            issue = self.state.issue(found, number)
            self._put_label(found, issue, label, actor or found.owner)

    def _put_label(self, repo: Repo, issue: Issue, name: str, actor: str) -> None:
        label = self.ensure_label(repo, name, "ededed", "")
        self.state.user(actor)
        put_label(self.state, actor, issue, label)

    def unlabel_issue(self, repo: str, number: int, label: str, actor: str | None = None) -> None:
        with self.state.lock:
            found = self.state.repo(repo)
            issue = self.state.issue(found, number)
            for known in [known for known in issue.labels if known.name == label]:
                take_label(self.state, actor or found.owner, issue, known)

    def close_issue(
        self, repo: str, number: int, actor: str | None = None, reason: str = "completed"
    ) -> None:
        """Also closes a pull request, without merging it."""
        with self.state.lock:
            found = self.state.repo(repo)
            issue = self.state.issue(found, number)
            pushes.close(self.state, issue, actor or found.owner, reason)

    def reopen_issue(self, repo: str, number: int, actor: str | None = None) -> None:
        with self.state.lock:
            found = self.state.repo(repo)
            viewer = Anyone(self.state, Token(value="", login=actor or found.owner))
            set_open(self.state, viewer, found, self.state.issue(found, number), is_open=True)

    def edit_issue(
        self,
        repo: str,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        editor: str | None = None,
    ) -> None:
        """By its author unless another is named."""
        with self.state.lock:
            issue = self.state.issue(self.state.repo(repo), number)
            editor = editor or issue.author
            if title is not None and title != issue.title:
                issue.title = title
                self.state.add_event(issue, "renamed", editor)
            if body is not None:
                issue.body = body
                issue.edited_at, issue.editor = self.state.now(), editor
            self.state.touch(issue)

    def add_comment(
        self, repo: str, number: int, body: str, *, author: str, association: str | None = None
    ) -> CommentSnapshot:
        with self.state.lock:
            found = self.state.repo(repo)
            now = self.state.now()
            comment = Comment(
                id=self.state.new_id(),
                author=author,
                body=body,
                created_at=now,
                updated_at=now,
                association=association,
            )
            self.state.add_comment(found, self.state.issue(found, number), comment)
            return comment_snapshot(comment)

    def edit_comment(self, repo: str, comment: int, body: str, *, editor: str) -> None:
        with self.state.lock:
            issue, found = find_comment(self.state.repo(repo), comment)
            rewrite_comment(self.state, issue, found, body, editor)

    def add_commit(
        self,
        repo: str,
        branch: str,
        files: Mapping[str, str],
        message: str = "Change",
        *,
        actor: str | None = None,
        merged: str = "",
    ) -> str:
        """Somebody else's push; a new branch starts at the default one. `merged`: a branch that it
        merges, with these files as the result. Returns the sha.
        """
        with self.state.lock:
            found = self.state.repo(repo)
            sha = gitrepo.commit_files(found.path, branch, dict(files), message, merged)
            pushes.after_push(self.state, found, actor or found.owner)
            return sha

    def delete_branch(self, repo: str, branch: str) -> None:
        """As GitHub does after a merge."""
        with self.state.lock:
            found = self.state.repo(repo)
            gitrepo.delete_branch(found.path, branch)
            pushes.after_push(self.state, found, found.owner)

    def add_pull(
        self,
        repo: str,
        head: str,
        title: str,
        body: str | None = None,
        *,
        base: str | None = None,
        author: str | None = None,
        draft: bool = False,
    ) -> int:
        """The head is "branch" or "owner-of-a-fork:branch"; the branch must exist."""
        with self.state.lock:
            found = self.state.repo(repo)
            author = author or head.rpartition(":")[0] or found.owner
            issue = open_pull(
                self.state,
                Anyone(self.state, Token(value="", login=author)),
                found,
                title=title,
                body=body,
                head=head,
                base=base or found.default_branch,
                draft=draft,
            )
            return issue.number

    def merge_pull(self, repo: str, number: int, actor: str | None = None) -> str:
        with self.state.lock:
            found = self.state.repo(repo)
            viewer = Anyone(self.state, Token(value="", login=actor or found.owner))
            return merge_pull(self.state, viewer, found, self.state.issue(found, number))

    def issue(self, repo: str, number: int) -> IssueSnapshot:
        with self.state.lock:
            found = self.state.repo(repo)
            return issue_snapshot(found, self.state.issue(found, number))

    def issues(self, repo: str) -> list[IssueSnapshot]:
        """Without the pull requests."""
        with self.state.lock:
            found = self.state.repo(repo)
            plain = [issue for issue in found.issues.values() if not issue.pull]
            return [issue_snapshot(found, issue) for issue in plain]

    def pulls(self, repo: str) -> list[PullSnapshot]:
        with self.state.lock:
            found = self.state.repo(repo)
            pulls = [issue for issue in found.issues.values() if issue.pull]
            return [pull_snapshot(found, issue) for issue in pulls]

    def labels(self, repo: str) -> dict[str, str]:
        """Name to colour."""
        with self.state.lock:
            labels = self.state.repo(repo).labels.values()
            return {label.name: label.color for label in labels}

    def heads(self, repo: str) -> dict[str, str]:
        """Branch to sha."""
        with self.state.lock:
            return gitrepo.heads(self.state.repo(repo).path)


class Anyone(Viewer):
    """Passes every check."""

    def may(self, repo: Repo, level: str, area: str = "metadata") -> bool:
        return True
