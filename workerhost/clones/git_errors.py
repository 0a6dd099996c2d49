"""What a network step of git failed of: by what the door's proxy saw, by a push's own record, else
by words. docs/outcomes.md has the table of those that have a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from workerhost.clones.done import Done
from workerhost.walls.proxy_errors import Seen

_SAID = 400  # characters of git's and the remote's words that are kept
_LINES = 8
_Kind = Literal["passing", "final", "unknown"]


@dataclass(frozen=True, slots=True)
class Known:
    """`name` is the docs'."""

    name: str
    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class Failure:
    """`unknown` is taken for passing, for as long as there is patience."""

    kind: _Kind
    message: str
    hint: str = ""

    @property
    def passing(self) -> bool:
        return self.kind != "final"


_DOORS = "the proxy's refusal"
# The first that fits counts.
KNOWN = (
    Known(
        "GH013",
        r"GH013|Repository rule violations",
        "A rule of the repository refuses it: let the worker's account bypass the rule, or name"
        " branches as it wants them",
    ),
    Known(
        "GH006",
        r"GH006|[Pp]rotected branch",
        "The branch is protected: take issue-* and task-* out of the rule",
    ),
    Known(
        "GH001",
        r"GH001|exceeds GitHub's file size limit",
        "A file in a commit is too large: take it out of the history, or keep it with Git LFS",
    ),
    Known(
        "GH009",
        r"GH009|GH007|[Pp]ush cannot contain secrets|[Pp]ush declined due to",
        "GitHub found a secret, or an address that is private: rewrite the commits",
    ),
    Known(
        "workflow",
        r"without `?workflows?`? (?:scope|permission)",
        "The token may not change workflows: give it that permission, or do it by hand",
    ),
    Known("archived", r"archived", "Unarchive the repository, or work elsewhere"),
    Known(
        "SSO",
        r"SAML SSO|SSO authorization|enabled or enforced SAML",
        "Authorize the token for the organization: github.com/settings/tokens, Configure SSO",
    ),
    Known(
        "host key",
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        "Put the host's key into .ssh/known_hosts of the worker's HOME: ssh-keyscan HOST",
    ),
    Known(
        "ssh login",
        r"Permission denied \(|no matching (?:host key|key exchange)",
        "The worker's .ssh has no key that the remote takes: cw refresh --git",
    ),
    Known(
        "dubious ownership",
        r"detected dubious ownership",
        "The repository is another user's: give it to the host's, or dispatch a clone of it",
    ),
    Known(
        "LFS",
        r"git-lfs|git lfs|LFS object",
        "Install git-lfs on the worker's host",
    ),
    Known(
        "name taken",
        r"exists; cannot create|refname conflict|directory file conflict",
        "A branch of that name, or one below it, is there: rename or delete it at the remote",
    ),
    Known(
        "moved on",
        r"stale info|non-fast-forward|fetch first|\[rejected\]",
        "The remote's branch has other commits: merge by hand, dispatch again",
    ),
    Known(
        "hook",
        r"hook declined|pre-receive hook|update hook",
        "A hook of the remote refuses it, for the reason that it gives",
    ),
    Known(
        "not found",
        r"[Rr]epository.* not found|error: 404|does not appear to be a git repository",
        "Is the name right, and may the worker's token see it?",
    ),
    Known(
        "login",
        r"Authentication failed|could not read (?:Username|Password)|error: 40[13]"
        r"|Write access to repository not granted|[Pp]ermission to .* denied",
        "The worker's token may not do that: cw doctor asks for each permission",
    ),
    Known(
        "authority",
        r"certificate problem|certificate verification failed|does not match target host name",
        "No authority that the host knows answers for it: http.sslCAInfo in /etc/gitconfig",
    ),
)
_PASSING = re.compile(
    r"error: (?:429|5\d\d)|rate limit|[Cc]ould not resolve|timed out|took too long"
    r"|Connection (?:refused|reset)|early EOF|hung up|Couldn't connect|[Tt]oo many requests"
    r"|expected flush|unexpected disconnect|Failed to connect|Empty reply|Temporary failure"
    r"|HTTP/2|GnuTLS (?:recv|send|handshake)|SSL_|unreachable|No route to host|cannot lock ref"
    r"|(?:Recv|Send) failure|response 5\d\d|CONNECT aborted|internal (?:server )?error"
    r"|unpacker error|connection was non-properly terminated|[Ss]ervice [Uu]navailable|maintenance"
)
_FINAL_UPSTREAM = {"401", "403", "407"}
_NOISE = re.compile(
    r"(?:Enumerating|Counting|Compressing|Writing|Resolving|Receiving|Unpacking) |Total |Delta "
    r"|To \S+$|Create a pull request|Visit |hint: |Everything up-to-date|Done$|Processing changes"
)
_SUMMARY = re.compile(r"^!\t(?:[^\t:]*):(?:refs/heads/)?([^\t]+)\t\[?(.*)$", re.MULTILINE)
# What git says after the reason, whatever that was.
_GENERAL = (
    *(
        "fatal: the remote end hung up",
        "fatal: Could not read from remote",
        "error: failed to push",
    ),
    *("Please make sure you have the correct access rights", "and the repository exists"),
)


def failure(done: Done) -> Failure:
    """Why a network step did not work, of one that did not."""
    if done.over:
        return Failure("passing", f"it took {done.over}")
    refused = [f"{name}: {_reason(why)}" for name, why in _SUMMARY.findall(done.out)]
    said = words(done.err, refused)
    door = _at_the_door(done.seen)
    if door and not refused:
        return Failure(door.kind, f"{door.message}; {said}", door.hint)
    whole = f"{done.err}\n{' '.join(refused)}"
    limited = re.search(r"rate limit|abuse detection|[Tt]oo many requests", whole)
    known = (
        None if limited else next((cause for cause in KNOWN if re.search(cause.words, whole)), None)
    )
    if known:
        return Failure("final", said, known.hint)
    if _PASSING.search(whole):
        return Failure("passing", said)
    return Failure("final" if refused else "unknown", said)


def _at_the_door(seen: tuple[Seen, ...]) -> Failure | None:
    """The last that the proxy saw go wrong."""
    if not seen:
        return None
    place, what, detail = seen[-1]
    if what == "refused":
        hint = "Add it to CW_ALLOWED_DOMAINS, if agents and the host may go there"
        return Failure("final", f"{_DOORS}: {detail or place}", hint)
    if what == "upstream":
        final = detail in _FINAL_UPSTREAM
        hint = "Ask whoever runs https_proxy, or mend its password" if final else ""
        text = f"the proxy outside says {detail} to {place}"
        return Failure("final" if final else "passing", text, hint)
    if what == "broken":
        return None  # where a tunnel ends badly TLS may have said why
    state = {"unresolved": "has no address", "unreachable": "does not answer"}[what]
    return Failure("passing", f"{place} {state}")


def words(err: str, first: list[str] | None = None) -> str:
    """In one line: `first`, what the remote said, what git said before it gave up, and its end."""
    lines = [re.sub(r"^remote: ?", "", line).strip() for line in err.splitlines()]
    lines = [line.strip("\x1b[K ") for line in lines if line and not _NOISE.match(line)]
    kept = [line for line in dict.fromkeys(lines) if re.search(r"^[^!]*\w", line)]
    telling = [line for line in kept if not line.startswith(_GENERAL)]
    chosen = [*(first or []), *(telling or kept)][:_LINES]
    return "; ".join(chosen)[:_SAID] or "git does not say why"


def _reason(why: str) -> str:
    return re.sub(r"\] \(", " (", why.strip()).removesuffix("]")
