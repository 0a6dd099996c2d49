"""The world outside a rehearsed deployment: GitHub and the model as stand-ins that it can reach."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn, bash, slow, text

ROOT = Path(__file__).parents[2]
REPO = "acme/app"
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyzABCD"
API_KEY = "sk-ant-dummy-key-of-the-rehearsal"
_OPEN = "git push -q origin HEAD && gh pr create --title 'Fix #{n}' --body 'Fixes #{n}' --base main"
BY_PROXY = ROOT / "tests" / "standins" / "localhost_by_proxy.sh"
# What claude and gh need to find the stand-ins; agents get no other variable of the host.
AGENT_ENV = (
    "http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY GH_HOST ANTHROPIC_BASE_URL"
    " CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC DISABLE_TELEMETRY DISABLE_ERROR_REPORTING BASH_ENV"
)


@dataclass
class World:
    """Both stand-ins, the issues that were handed out, and what was seen so far."""

    address: str
    github: GitHubStandIn
    api: MessagesStandIn
    issues: list[int] = field(default_factory=list)
    held: dict[int, Event] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {line}", flush=True)

    def issue(self, title: str, seconds: int = 0, *, hold: bool = False) -> int:
        """One that claude fixes by itself, after a command that takes so many seconds. `hold`: the
        model says nothing before `release`.
        """
        number = self.github.add_issue(REPO, title, "Please.")
        if hold:
            self.held[number] = Event()
        change = f"echo fixed > fix-{number}.txt && git add -A && git commit -q -m 'Fix #{number}'"
        self.api.script(
            slow(bash(f"sleep {seconds}; {change}"), gate=self.held.get(number)),
            # The script does not notice that its first command was interrupted; a model would.
            bash(f"[ -e fix-{number}.txt ] || ({change}); {_OPEN.format(n=number)}"),
            text(f"Fixed #{number}."),
            match=f"issue-{number}",
        )
        self.issues.append(number)
        return number

    def release(self, number: int) -> None:
        self.held[number].set()

    def at_work(self, number: int) -> None:
        """Until claude has got its first answer about the issue."""
        self.api.wait_for(lambda one: f"issue-{number}" in one.text, 60)

    def pulls(self, number: int) -> list[str]:
        """State of each pull request of the issue."""
        found = self.github.pulls(REPO)
        return [one.state for one in found if one.head == f"issue-{number}"]

    def fixed(self, number: int) -> bool:
        """One pull request, and our label is off: the task is recorded."""
        return self.pulls(number) == ["open"] and not self.github.issue(REPO, number).labels

    def environment(self, by_proxy: str) -> dict[str, str]:
        """Of a host that takes the stand-ins for GitHub and the model. `by_proxy`: where agents see
        the file BY_PROXY.
        """
        proxies = dict.fromkeys(("http_proxy", "https_proxy"), self.github.url)
        none = dict.fromkeys(("no_proxy", "NO_PROXY"), f"{self.address},127.0.0.1")
        return {
            **proxies,
            **{name.upper(): url for name, url in proxies.items()},
            **none,
            "CW_GITHUB_API_URL": self.github.api_url,
            "CW_GITHUB_URL": "http://github.localhost",
            "CW_GITHUB_PACE": "0",
            "CW_ALLOWED_DOMAINS": "*.com *.localhost",  # gh goes to api.github.localhost
            "CW_SWEEP_EVERY": "2",
            "BASH_ENV": by_proxy,
            "CW_AGENT_ENV": AGENT_ENV,
            "GH_HOST": "github.localhost",
            "ANTHROPIC_BASE_URL": self.api.url,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
        }


@contextmanager
def world(address: str) -> Iterator[World]:
    """With one empty repository; whatever wanted to leave the stand-ins is an error at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="cwr-") as folder,
        GitHubStandIn(Path(folder), address=address) as github,
        MessagesStandIn(address=address) as api,
    ):
        github.add_repo(REPO, files={"README.md": "# App\n"})
        github.add_user("bot", TOKEN, {REPO: "write"})
        yield World(address, github, api)
        assert github.leaks == []


def copy_checkout(target: Path) -> None:
    """What git knows or would take: no .env, no secrets, no .venv."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.split(b"\0")
    there = b"\0".join(one for one in listed if one and (ROOT / os.fsdecode(one)).exists())
    target.mkdir()
    packed = subprocess.run(
        ["tar", "-c", "--null", "-T", "-"],
        cwd=ROOT,
        input=there,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    subprocess.run(["tar", "-x"], cwd=target, input=packed, check=True)
