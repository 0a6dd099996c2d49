"""Settings of GitHub, and of what is done there without being asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cw import values
from cw.sections.setting import setting
from cw.token_names import GITHUB_LOGINS


@dataclass(frozen=True, kw_only=True)
class GitHubSettings:
    forge: str = setting(
        "github.forge",
        "github",
        values.text,
        "What issues and pull requests are on: github, or a forge that a package beside cw registers",
    )
    github_url: str = setting(
        "github.url",
        "https://github.com",
        values.url,
        "GitHub or GitHub Enterprise, as git reaches it",
    )
    github_api_url: str = setting(
        "github.api_url", "https://api.github.com", values.url, "Its REST API"
    )
    github_token: str = setting(
        "github.token",
        "",
        values.text,
        "Token for labels and comments of this machine's dispatches",
        *GITHUB_LOGINS,
    )
    github_access: str = setting(
        "github.access",
        "agent",
        values.one_of("agent", "host"),
        "agent: agents have a GitHub token, push and use gh; host: they have none, the host pushes and opens the pull request (needs bubblewrap)",
    )
    github_app_id: str = setting(
        "github.app_id",
        "",
        values.text,
        "Id of a GitHub App whose tokens are used instead of all others",
    )
    github_app_key_file: Path | None = setting(
        "github.app_key_file", None, values.path, "The App's private key (PEM), mode 0600"
    )
    protected_paths: tuple[str, ...] = setting(
        "github.protected_paths",
        (),
        values.labels,
        "More paths whose change makes a pull request a draft, as in .gitignore, separated by commas, besides those that docs/security.md lists; ! takes one back",
    )
    github_pace: float = setting(
        "github.pace", 1.0, values.amount, "Seconds between two writes to GitHub"
    )
    assign_repos: tuple[str, ...] = setting(
        "assign.repos",
        (),
        values.names,
        "Repositories (owner/repo) whose issues `cw assign` and beat hand out",
    )
    assign_owner: str = setting(
        "assign.owner",
        "",
        values.text,
        "Account whose repositories are all taken, besides assign.repos",
    )
    assign_every: float = setting(
        "assign.every",
        300.0,
        values.amount,
        "Seconds between assignments by beat; 0: only by `cw assign`",
    )
    assign_reserve: int = setting(
        "assign.reserve", 0, values.count, "Idle workers that assign leaves free"
    )
    assign_go_label: str = setting(
        "assign.go_label",
        "claude",
        values.text,
        "Label that admits an issue of a stranger, set by someone who may write",
    )
    assign_priority_labels: tuple[str, ...] = setting(
        "assign.priority_labels",
        (),
        values.labels,
        "Labels whose issues come first, in this order, separated by commas",
    )
    assign_repo_cap: int = setting(
        "assign.repo_cap",
        0,
        values.count,
        "Unfinished tasks of one repository beyond which assign adds none; 0: no cap",
    )
    assign_review_cap: int = setting(
        "assign.review_cap",
        0,
        values.count,
        "Workers' pull requests in review beyond which assign adds nothing; 0: no cap",
    )
    reconcile_every: float = setting(
        "reconcile.every",
        180.0,
        values.amount,
        "Seconds between comparisons of labels with tasks by beat; 0: none",
    )
    reconcile_grace: float = setting(
        "reconcile.grace",
        120.0,
        values.amount,
        "Seconds in which a label, a task or an end is too young to be judged",
    )
    pulls_every: float = setting(
        "pulls.every",
        120.0,
        values.amount,
        "Seconds between looks at tasks' pull requests by beat; 0: none, they are not followed",
    )
    pulls_quiet: float = setting(
        "pulls.quiet",
        60.0,
        values.amount,
        "Seconds in which nothing of a pull request may have moved before it is judged",
    )
    pulls_repairs: int = setting(
        "pulls.repairs",
        3,
        values.count,
        "Repairs of a pull request for each cause: conflict, red checks, review; then a person is asked. 0: nothing is mended",
    )
    pulls_days: float = setting(
        "pulls.days",
        7.0,
        values.amount,
        "Days after its task's end in which a pull request is mended",
    )
    pulls_review: str = setting(
        "pulls.review",
        "off",
        values.one_of("off", "worker"),
        "`worker`: pull requests of tasks are drafts until another worker has read them; `off`: nobody does",
    )
    pulls_bots: tuple[str, ...] = setting(
        "pulls.bots",
        (),
        values.names,
        "Logins of bots, such as reviewer[bot], whose remarks at pull requests are heard like those of people who may write",
    )
