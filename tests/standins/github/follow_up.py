"""What becomes of pull requests: checks, reviews, threads, put in past every check."""

from . import gitrepo
from .contents import Contents
from .model import CheckRun, Comment, ReviewThread, Status
from .pull_actions import pull_of


class FollowUp(Contents):
    def check(
        self,
        repo: str,
        ref: str,
        name: str,
        conclusion: str | None = None,
        *,
        workflow: str = "CI",
    ) -> None:
        """A check run of a branch's head or a commit, in place of an older one of the same name.
        Without a conclusion it is in progress.
        """
        with self.state.lock:
            found = self.state.repo(repo)
            sha = gitrepo.head(found.path, ref) or ref
            run = CheckRun(
                name=name,
                workflow=workflow,
                status="completed" if conclusion else "in_progress",
                conclusion=conclusion,
                started_at=self.state.now(),
            )
            kept = [one for one in found.checks.get(sha, []) if getattr(one, "name", "") != name]
            found.checks[sha] = [*kept, run]

    def set_status(self, repo: str, ref: str, context: str, state: str) -> None:
        with self.state.lock:
            found = self.state.repo(repo)
            sha = gitrepo.head(found.path, ref) or ref
            status = Status(context=context, state=state, created_at=self.state.now())
            kept = [
                one for one in found.checks.get(sha, []) if getattr(one, "context", "") != context
            ]
            found.checks[sha] = [*kept, status]

    def require(self, repo: str, *checks: str, review: bool = False) -> None:
        """As a branch protection rule does."""
        with self.state.lock:
            found = self.state.repo(repo)
            found.required |= set(checks)
            found.review_required = review

    def review(self, repo: str, number: int, author: str, state: str) -> None:
        """`state`: APPROVED, CHANGES_REQUESTED or DISMISSED."""
        with self.state.lock:
            issue = self.state.issue(self.state.repo(repo), number)
            self.state.user(author)
            pull_of(issue).reviews[author] = state
            self.state.touch(issue)

    def start_thread(
        self, repo: str, number: int, body: str, *, author: str, association: str | None = None
    ) -> int:
        """A comment on a line. Returns the thread's id."""
        with self.state.lock:
            issue = self.state.issue(self.state.repo(repo), number)
            self.state.user(author)
            now, made = self.state.now(), self.state.new_id()
            comment = Comment(
                id=made,
                author=author,
                body=body,
                created_at=now,
                updated_at=now,
                association=association,
            )
            pull_of(issue).threads.append(ReviewThread(id=made, comment=comment))
            self.state.touch(issue)
            return made

    def end_thread(
        self, repo: str, number: int, thread: int, *, resolved: bool = True, outdated: bool = False
    ) -> None:
        with self.state.lock:
            issue = self.state.issue(self.state.repo(repo), number)
            for one in pull_of(issue).threads:
                if one.id == thread:
                    one.resolved, one.outdated = resolved, outdated
            self.state.touch(issue)

    def assign(self, repo: str, number: int, *logins: str) -> None:
        """As a person does on the web page; nobody: takes them all off."""
        with self.state.lock:
            issue = self.state.issue(self.state.repo(repo), number)
            for login in logins:
                self.state.user(login)
            issue.assignees = list(logins)
            self.state.touch(issue)

    def forget_mergeable(self, repo: str, number: int, answers: int = 1) -> None:
        """The next answers do not say whether it can be merged."""
        with self.state.lock:
            pull_of(self.state.issue(self.state.repo(repo), number)).unknown = answers
