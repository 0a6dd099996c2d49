"""What `cw doctor` asks GitHub: may the tokens of this machine do what work there needs?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cw.check import Check
from cw.cli.context import Cli
from cw.errors import BadInputError, CwError, GitHubUnavailableError
from cw.token_names import github_login

if TYPE_CHECKING:
    from cw.forges.client import Client

_MOST = 20  # repositories that are asked about


def github_checks(cli: Cli) -> Iterator[Check]:
    """Each token with each repository that is configured or has work."""
    repos = _repos(cli)
    for name, github in _tokens(cli):
        if isinstance(github, CwError):
            yield Check(name, "fail", github.message, github.hint)
        elif repos:
            yield from (_check(name, github, repo) for repo in repos[:_MOST])
        else:
            yield _alone(name, github)


def _alone(name: str, github: Client) -> Check:
    """Whether GitHub knows it, by a call that no limit counts."""
    text = "no repository to try it on: none is in CW_ASSIGN_REPOS, and none has work"
    if github.is_app:  # its login was looked at with who has access
        return Check(name, "ok", text)
    try:
        github.check_token()
    except GitHubUnavailableError as error:
        return Check(name, "warn", error.message, error.hint)
    except CwError as error:
        return Check(name, "fail", error.message, error.hint)
    return Check(name, "ok", f"GitHub knows it; {text}")


def _check(name: str, github: Client, repo: str) -> Check:
    from cw.operations.dispatch.readiness import refuse

    title = f"{name}, {repo}"
    try:
        found = github.repository(repo)
        refuse(found, issues=True)
        lacks = github.missing(found)
        unread = () if lacks else github.unread(found)
    except GitHubUnavailableError as error:
        return Check(title, "warn", error.message, error.hint)
    except CwError as error:
        return Check(title, "fail", error.message, error.hint)
    if lacks:
        fix = "It needs contents, issues and pull requests: write"
        return Check(title, "fail", f"the token lacks {', '.join(lacks)}", fix)
    if unread:
        return Check(
            title,
            "warn",
            "may push, and write issues and pull requests, but not read all that checks say",
            f"Give it {' and '.join(unread)}: what it cannot read is left to you",
        )
    now = "" if found.name.lower() == repo.lower() else f"; it is called {found.name} now"
    return Check(title, "ok", f"may push, and write issues and pull requests{now}")


def _tokens(cli: Cli) -> Iterator[tuple[str, Client | CwError]]:
    """That of this machine, and each other one that a worker has."""
    from cw.credentials.agentenv import own_variables
    from cw.forges.known import forge_of
    from cw.homes.layout import homes

    settings = cli.settings
    if settings.github_token or settings.github_app_id:
        try:
            yield "github token", forge_of(settings).open(settings)
        except CwError as error:
            yield "github token", error
    if settings.github_app_id or settings.github_access == "host":
        return  # workers have none of their own, or none that counts
    seen = {settings.github_token}
    for home in homes(settings.workers_root):
        own = own_variables(home)
        token = github_login(own)
        if token and token not in seen:
            seen.add(token)
            yield f"worker {home.id} github token", forge_of(settings).client(settings, token)


def _repos(cli: Cli) -> list[str]:
    from cw.operations.passes import scope

    try:
        named = scope.named_repos(cli.settings)
    except BadInputError:
        named = []  # which `cw assign` refuses in its own words
    try:
        work = [task.spec.repo for task in cli.store.tasks.open_tasks() if task.spec.github]
    except CwError:
        work = []  # the broker has a check of its own
    return list({repo.lower(): repo for repo in [*named, *work]}.values())
