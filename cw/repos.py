"""What `-r` names: a repository on GitHub, or any git repository by path or URL."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cw.errors import BadInputError
from cw.local_repository import is_repository

_GITHUB = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/([A-Za-z0-9._-]{1,100})")
_WEB = frozenset({"http", "https"})
_GIT = frozenset({*_WEB, "ssh", "git", "git+ssh", "git+https"})
_SECRET = re.compile(r"gh[pousr]_|github_pat_")  # what a token begins with
_SCP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/-]+")
_URL = re.compile(r"(?:https?|ssh|git|file)://[A-Za-z0-9@:._~/%+-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Repo:
    name: str  # what people read and what claims are made of: owner/repo, or the path or URL
    url: str  # what git clones from and pushes to; never carries a credential
    folder: str  # below HOME/github; two parts, safe as a path
    github: bool  # issues, labels and pull requests exist for it
    path: str = ""  # its place on this machine, when it is a path

    @property
    def short(self) -> str:
        """For narrow columns: owner/repo, or the last part of a path."""
        return self.name if self.github else self.folder.split("/")[-1].rsplit("-", 1)[0]


def parse_repo(text: str, *, github_url: str, cwd: Path) -> Repo:
    """The repository that `text` names. A path must be a git repository. Raises BadInputError."""
    on_github = _github_name(text, github_url)
    if on_github:
        return github_repo(on_github, github_url)
    if text.startswith(("/", "./", "../", "~")) or text in {".", ".."}:
        return _path_repo(text, cwd)
    if text.startswith("file://"):
        return _path_repo(_path_of(text), cwd)
    if _URL.fullmatch(text) or _SCP.fullmatch(text):
        if re.match(r"https?://[^/]*@", text):
            raise _credential()
        return Repo(name=text, url=text, folder=f"git/{_slug(text)}", github=False)
    raise BadInputError(
        f"{text!r} is not a repository", hint="Use owner/repo, a path such as ./app, or a URL"
    )


def github_repo(name: str, github_url: str) -> Repo:
    return Repo(name=name, url=f"{github_url.rstrip('/')}/{name}.git", folder=name, github=True)


def renamed(repo: Repo, name: str) -> Repo:
    """The same repository on GitHub as GitHub writes its name."""
    url = f"{repo.url.removesuffix(f'{repo.name}.git')}{name}.git"
    return Repo(name=name, url=url, folder=name, github=True)


def _github_name(text: str, github_url: str) -> str | None:
    """owner/repo, in whichever way git, gh and the address bar write it; None: it is elsewhere.

    Raises BadInputError for what is on GitHub and no repository.
    """
    there = _at_github(text, github_url)
    match = _GITHUB.fullmatch(re.sub(r"(?:\.git)?/*$", "", text if there is None else there))
    if match and match[2] not in {"", ".", ".."} and not match[1].endswith("-"):
        return f"{match[1]}/{match[2]}"
    if there is None:
        return None
    owner, _, rest = there.partition("/")
    name = rest.partition("/")[0].removesuffix(".git")
    raise BadInputError(
        f"{_shown(text)!r} is no repository on {urlsplit(github_url).hostname}",
        hint=f"Use {owner}/{name}" if owner and name else "Use owner/repo",
    )


def _at_github(text: str, github_url: str) -> str | None:
    """The path behind GitHub's host; None when another host is meant, or none."""
    base = urlsplit(github_url)
    host = (base.hostname or "").lower()
    scp = re.fullmatch(r"(?:[^@/:\s]+@)?([A-Za-z0-9.-]+):(?!//)/*(.+)", text)
    if scp:
        return scp[2] if _is_host(scp[1], host) else None
    try:
        url = urlsplit(f"https://{text}" if text.lower().startswith(f"{host}/") else text)
        port = url.port
    except ValueError:  # half an IPv6 address
        return None
    if url.scheme not in _GIT or not _is_host(url.hostname or "", host):
        return None
    if url.scheme in _WEB and port not in {None, 80, 443, base.port}:
        return None  # something else on that machine
    if url.password or _SECRET.match(url.username or ""):
        raise _credential()
    path = url.path.lstrip("/")
    return path.removeprefix(base.path.strip("/")).lstrip("/") if base.path else path


def _is_host(host: str, github: str) -> bool:
    """ssh.github.com is its way through firewalls that let only port 443 out."""
    return host.lower().rstrip(".") in {github, f"www.{github}", f"ssh.{github}"}


def _credential() -> BadInputError:
    return BadInputError(
        "the repository's URL carries a credential",
        hint="Leave it out and put the token into the worker's .zshenv",
    )


def _shown(url: str) -> str:
    """Without who logs in there."""
    return re.sub(r"//[^/@]*@", "//", url)


def _path_of(url: str) -> str:
    """As git 2.39 reads it: percent-encoded, and without `?` and `#` meaning anything."""
    host, slash, rest = url.removeprefix("file://").partition("/")
    if host not in {"", "localhost"} or not slash:
        raise BadInputError(
            f"{url!r} is not a repository", hint="Use for example file:///srv/app.git"
        )
    return unquote(f"/{rest}", errors="surrogateescape")


def _path_repo(text: str, cwd: Path) -> Repo:
    path, found = Path(text), False
    with suppress(OSError, RuntimeError, ValueError):  # ~nobody, a NUL, a name that is too long
        path = (cwd / path.expanduser()).resolve()
        found = is_repository(path)
    if not found:
        raise BadInputError(f"{text} is not a git repository", hint=_nearest(path))
    if not str(path).isprintable():  # records are UTF-8, and terminals obey the rest
        raise BadInputError(
            f"{str(path)!r} has bytes in its name that are no letters",
            hint="Rename that folder, or give a clone of it elsewhere",
        )
    return Repo(
        name=str(path),
        url=str(path),
        folder=f"git/{_slug(str(path))}",
        github=False,
        path=str(path),
    )


def _nearest(path: Path) -> str:
    """What to type instead."""
    with suppress(OSError, ValueError):
        above = next((folder for folder in path.parents if is_repository(folder)), None)
        if above and path.is_dir():
            return f"It lies in one: {above}"
    return "Use a path that holds one, or owner/repo"


def _slug(text: str) -> str:
    """A readable folder name that differs whenever `text` differs."""
    last = re.sub(r"[^A-Za-z0-9_-]+", "-", text.rstrip("/").removesuffix(".git").split("/")[-1])
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{last.strip('-') or 'repo'}-{digest[:8]}"
