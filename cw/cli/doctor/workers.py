"""What `cw doctor` finds in workers' HOMEs: logins, open files, whether git can commit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cw.check import Check
from cw.cli.context import Cli
from cw.cli.local_host import ask_local
from cw.credentials.agentenv import own_variables
from cw.homes.archives import archives
from cw.homes.layout import Home, homes
from cw.homes.private import open_files
from cw.token_names import GITHUB_LOGINS, github_login

_WIDE = ("ghp_", "gho_")  # tokens that cannot be narrowed to repositories


def worker_checks(cli: Cli) -> Iterator[Check]:
    found = homes(cli.settings.workers_root)
    if not found:
        yield Check("workers", "next", f"none in {cli.settings.workers_root} yet", "cw init 01")
    tried = ask_local(cli.environ, "commits", *(home.id for home in found)) if found else ()
    cannot = {row["worker"]: row for row in tried}
    for home in found:
        found_here = (token_check(home, cli), mode_check(home), commit_check(home, cannot))
        for check in (*found_here, *file_checks(home)):
            yield replace(check, worker=home.id)


def token_check(home: Home, cli: Cli) -> Check:
    """Names only, never values."""
    passed = {variable for variable in cli.settings.agent_env if cli.environ.get(variable)}
    names = {*own_variables(home), *passed}
    name = f"worker {home.id} tokens"
    known = cli.program.logins
    logins = [login for login in known if login in names]
    if known and not logins:
        return Check(
            name, "fail", f"{' and '.join(known)} are missing", f"Set one in {home.zshenv}"
        )
    if len(logins) > 1:
        text = "has both tokens: the API key wins and the subscription is not used"
        return Check(name, "warn", text, f"Remove one from {home.zshenv}")
    elsewhere = cli.settings.github_app_id or (
        cli.settings.github_access == "host" and cli.settings.github_token
    )
    if not names & {*GITHUB_LOGINS} and not elsewhere:
        text = "GH_TOKEN is missing: no work on GitHub repositories"
        return Check(name, "warn", text, f"Set it in {home.zshenv}")
    own = own_variables(home)
    lent = cli.settings.github_access == "agent" and not cli.settings.github_app_id
    if lent and github_login(own).startswith(_WIDE):
        text = "GH_TOKEN is a classic token: it reaches every repository of its account"
        fix = (
            "Use a fine-grained one or a GitHub App, for the repositories this worker is meant for"
        )
        return Check(name, "warn", text, fix)
    return Check(name, "ok", ", ".join(sorted(names & {*known, *GITHUB_LOGINS})))


def commit_check(home: Home, cannot: dict[str, dict[str, str]]) -> Check:
    """Whether an agent's git can commit there: it was tried."""
    name = f"worker {home.id} commits"
    said = cannot.get(home.id)
    if said:
        return Check(name, "fail", f"no commit works: {said['why']}", said["advice"])
    return Check(name, "ok", "its git can commit")


def file_checks(home: Home) -> Iterator[Check]:
    """What a run left that nobody can read any more."""
    bad = sorted(home.run.glob("*.corrupt-*"))
    deque(archives(home, bad.append), maxlen=0)
    for path in bad:
        name = f"worker {home.id} history"
        yield Check(name, "warn", f"{path} cannot be read and is passed over", f"rm {path}")


def mode_check(home: Home) -> Check:
    """Only the owner may read a HOME: it holds tokens."""
    name = f"worker {home.id} files"
    open_ones = open_files(home)
    if open_ones:
        fix = f"chmod -R go= {home.path}"
        return Check(name, "fail", f"others may use {_names(open_ones)}", fix)
    return Check(name, "ok", "private")


def _names(paths: list[Path]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
