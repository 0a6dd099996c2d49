"""The things GitHub remembers. Nothing here decides or checks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

DEFAULT_LABELS = {
    "bug": ("d73a4a", "Something isn't working"),
    "documentation": ("0075ca", "Improvements or additions to documentation"),
    "enhancement": ("a2eeef", "New feature or request"),
}
NEW_LABEL_COLOR = "ededed"  # what a label gets that springs up by being used


@dataclass(kw_only=True)
class User:
    id: int
    login: str
    kind: str = "User"  # User, Bot or Organization


@dataclass(frozen=True, kw_only=True)
class Token:
    """None means: whatever the user may do."""

    value: str
    login: str
    repos: frozenset[str] | None = None  # full names, lower case
    grants: dict[str, str] | None = None  # contents, issues, pull_requests -> read or write
    scopes: tuple[str, ...] = ("repo", "read:org", "gist")  # of a classic one, which has no grants
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class App:
    id: int
    login: str
    installation: int
    public_key: str  # PEM
    granted: dict[str, str]  # permissions -> read or write
    token_life: timedelta = timedelta(hours=1)


@dataclass(kw_only=True)
class Label:
    id: int
    name: str
    color: str = NEW_LABEL_COLOR
    description: str | None = None


@dataclass(kw_only=True)
class Comment:
    id: int
    author: str
    body: str
    created_at: datetime
    updated_at: datetime
    association: str | None = None
    edited_at: datetime | None = None  # these two only GraphQL tells
    editor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    id: int
    kind: str  # labeled, unlabeled, closed, reopened, merged, renamed, assigned, …
    actor: str
    at: datetime
    label: Label | None = None
    assignee: str | None = None
    commit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Push:
    """One branch made, moved or deleted; no commit is forty zeros."""

    id: int
    ref: str
    before: str
    after: str
    actor: str
    at: datetime


@dataclass(frozen=True)
class Annotation:
    """`level`: notice, warning, failure."""

    path: str
    line: int
    message: str
    level: str = "failure"


@dataclass(kw_only=True)
class ActionsRun:
    """Of one workflow on one commit. `attempt`: how often any of it was run."""

    id: int
    sha: str
    workflow: str
    branch: str
    created_at: datetime
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class CheckRun:
    """Of one commit. `status`: queued, in_progress, completed. `run`: that of Actions which it is a
    job of; 0: another App's. `ends`: its conclusion, once it has one.
    """

    id: int
    name: str
    workflow: str
    run: int
    status: str
    conclusion: str | None
    ends: str
    started_at: datetime | None
    completed_at: datetime | None
    url: str
    title: str = ""
    summary: str = ""
    log: str = ""
    annotations: tuple[Annotation, ...] = ()

    @property
    def full_name(self) -> str:
        """As the list of a pull request's checks has it."""
        return f"{self.workflow} / {self.name}" if self.workflow else self.name


@dataclass(frozen=True, kw_only=True)
class Status:
    """A commit status, the older kind. `state`: error, expected, failure, pending, success."""

    context: str
    state: str
    created_at: datetime


@dataclass(kw_only=True)
class ReviewThread:
    """`comment`: what began it. `line`: of the file at `sha`; None: of the whole file."""

    id: int
    comment: Comment
    resolved: bool = False
    outdated: bool = False
    path: str = ""  # empty: the first file of the change
    line: int | None = None
    sha: str = ""
    hunk: str = ""
    replies: list[Comment] = field(default_factory=list)

    @property
    def comments(self) -> list[Comment]:
        return [self.comment, *self.replies]


@dataclass(kw_only=True)
class Pull:
    head_repo: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: str | None = None
    merge_sha: str | None = None
    reviews: dict[str, str] = field(default_factory=dict)  # by login: the last opinion
    # Reviews that were submitted: login, state, commit, text.
    said: list[tuple[str, str, str, str]] = field(default_factory=list)
    threads: list[ReviewThread] = field(default_factory=list)
    unknown: int = 0  # answers yet that do not say whether it can be merged


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """An issue as the search index saw it at one time."""

    at: datetime
    state: str
    title: str
    body: str
    labels: frozenset[str]
    assignees: frozenset[str]


@dataclass(kw_only=True)
class Issue:
    id: int
    number: int
    title: str
    body: str | None
    author: str
    created_at: datetime
    updated_at: datetime
    association: str | None = None  # None: worked out from the author's permission
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    indexed: list[Indexed] = field(default_factory=list)
    pull: Pull | None = None
    edited_at: datetime | None = None  # of the body; these two only GraphQL tells
    editor: str | None = None
    blocked_by: int = 0  # open dependencies


@dataclass(kw_only=True)
class Repo:
    id: int
    owner: str
    name: str
    path: Path  # the bare repository
    private: bool
    created_at: datetime
    pushed_at: datetime
    default_branch: str = "main"
    description: str | None = None
    archived: bool = False
    disabled: bool = False
    has_issues: bool = True
    parent: str | None = None  # full name of what this is a fork of
    permissions: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)  # by name in lower case
    issues: dict[int, Issue] = field(default_factory=dict)
    known_heads: dict[str, str] = field(default_factory=dict)  # branch to sha, as of the last push
    pushes: list[Push] = field(default_factory=list)
    checks: dict[str, list[CheckRun | Status]] = field(default_factory=dict)  # by sha
    actions_runs: dict[int, ActionsRun] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)  # older attempts as well
    required: set[str] = field(default_factory=set)  # names of checks
    review_required: bool = False
    merges: frozenset[str] = frozenset({"merge", "squash"})  # methods
    delete_merged: bool = False  # "Automatically delete head branches"

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"
