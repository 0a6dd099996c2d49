"""What becomes of pull requests: checks, reviews, threads, put in past every check."""

from collections.abc import Iterable

from . import ci as actions
from . import gitrepo, review_actions
from .contents import Anyone, Contents
from .model import Annotation, Comment, ReviewThread, Status, Token
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
        log: str = "",
        title: str = "",
        summary: str = "",
        annotations: Iterable[Annotation] = (),
    ) -> int:
        """A check run of a branch's head or a commit, in place of an older one of the same name.
        Without a conclusion it is in progress. Returns its id, which is its job's.
        """
        with self.state.lock:
            found = self.state.repo(repo)
            sha = gitrepo.head(found.path, ref) or ref
            job = actions.Job(
                name=name,
                conclusion=conclusion or "success",
                held=conclusion is None,
                workflow=workflow,
                log=log,
                title=title,
                summary=summary,
                annotations=tuple(annotations),
            )
            return actions.put(self.state, found, sha, job, branch=ref).id

    @property
    def ci(self) -> actions.Rule | None:
        """Which jobs each push begins by itself, from now on; None: none."""
        return self.state.ci

    @ci.setter
    def ci(self, rule: actions.Rule | None) -> None:
        with self.state.lock:
            self.state.ci = rule

    def let_go(self, repo: str, ref: str, *names: str) -> None:
        """Jobs that are held end as their rule said; all of them, if none is named."""
        with self.state.lock:
            found = self.state.repo(repo)
            actions.let_go(self.state, found, gitrepo.head(found.path, ref) or ref, names)

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

    def allow_merges(self, repo: str, *methods: str) -> None:
        """Of merge, squash, rebase; no others."""
        with self.state.lock:
            self.state.repo(repo).merges = frozenset(methods)

    def delete_merged_branches(self, repo: str, *, on: bool = True) -> None:
        """The repository's setting "Automatically delete head branches"."""
        with self.state.lock:
            self.state.repo(repo).delete_merged = on

    def review(self, repo: str, number: int, author: str, state: str, body: str = "") -> None:
        """`state`: APPROVED, CHANGES_REQUESTED or DISMISSED."""
        with self.state.lock:
            issue = self.state.issue(self.state.repo(repo), number)
            self.state.user(author)
            pull = pull_of(issue)
            pull.reviews[author] = state
            pull.said.append((author, state, pull.head_sha, body))
            self.state.touch(issue)

    def start_thread(
        self,
        repo: str,
        number: int,
        body: str,
        *,
        author: str,
        association: str | None = None,
        path: str = "",
        line: int | None = None,
    ) -> int:
        """A comment on a line of a file after the change; without a line, on all of it. Returns the
        thread's id.
        """
        with self.state.lock:
            found = self.state.repo(repo)
            issue = self.state.issue(found, number)
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
            thread = ReviewThread(id=made, comment=comment, path=path, line=line)
            review_actions.begin(self.state, found, issue, thread)
            return made

    def answer_thread(self, repo: str, number: int, thread: int, body: str, *, author: str) -> None:
        with self.state.lock:
            found = self.state.repo(repo)
            issue = self.state.issue(found, number)
            one = next(one for one in pull_of(issue).threads if one.id == thread)
            viewer = Anyone(self.state, Token(value="", login=author))
            review_actions.reply(self.state, viewer, found, issue, one, body)

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
