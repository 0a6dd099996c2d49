"""Makes a worker's HOME from the templates: all of it, or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cw import __version__
from cw.errors import BadInputError, CwError
from cw.homes.layout import MARKER, Home
from cw.names import worker_id
from cw.settings import config_path
from cw.token_names import GITHUB_LOGINS, MODEL_LOGINS

TOKENS = (GITHUB_LOGINS[0], *MODEL_LOGINS, "ANTHROPIC_BASE_URL")

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600

# claude 2.1.197 cannot start its sandbox in a HOME that lacks these.
_CLAUDE_FOLDERS = ("commands", "agents", "skills", "hooks")
_FOLDERS = ("github", "completed", "run", "tmp")
FOR_ALL = "all"  # of a person's own templates
_NOT_YOURS = frozenset({*_FOLDERS, "set-aside", MARKER})
_UNFINISHED = ".cw-new-"  # no worker id begins like this


def templates_dir() -> Path:
    """The templates inside the wheel, or beside the packages in a checkout."""
    here = Path(__file__).resolve().parents[1]
    for place in (here / "templates" / "worker", here.parent / "templates" / "worker"):
        if place.is_dir():
            return place
    raise CwError("the worker templates are missing", hint="Install claude-workers again")


def own_templates(environ: Mapping[str, str]) -> Path:
    """Where a person's files lie that go over ours: `all/` for every worker, `<id>/` for one."""
    return config_path(environ).parent / "template"


def tokens_in(environ: Mapping[str, str]) -> dict[str, str]:
    """The tokens the caller has, trimmed. Raises BadInputError for one that is no single line."""
    found: dict[str, str] = {}
    for name in TOKENS:
        value = environ.get(name, "").strip()
        if name == "GH_TOKEN" and not value:
            value = environ.get("GITHUB_TOKEN", "").strip()
        if not value.isprintable():
            raise BadInputError(f"{name} holds control characters", hint="Set it to one line")
        if "'" in value or "\\" in value:  # shells and .env files disagree about these
            raise BadInputError(f"{name} holds a quote or a backslash", hint="Set it to a token")
        if value:
            found[name] = value
    return found


def check_new(root: Path, name: str) -> None:
    """Raises BadInputError unless a HOME of this name can be made. Changes nothing."""
    worker_id(name)
    if root.is_symlink():
        raise BadInputError(f"{root} is a symbolic link", hint="Set CW_WORKERS_ROOT to a folder")
    if root.exists() and not root.is_dir():
        raise BadInputError(f"{root} is not a folder", hint="Set CW_WORKERS_ROOT to a folder")
    path = root / name
    if path.is_symlink():
        raise BadInputError(f"{path} is a symbolic link", hint="A worker's HOME is a real folder")
    if path.exists():
        raise BadInputError(f"{path} already exists", hint="Give another id, or remove it first")


def make_home(
    root: Path,
    name: str,
    environ: Mapping[str, str],
    templates: Path,
    own: Path | None = None,
) -> Home:
    """Make `root/name`. `environ` gives the tokens and the HOME whose git and ssh files are copied.
    `own`: see `own_templates`.

    Raises BadInputError or CwError, and then leaves nothing.
    """
    check_new(root, name)
    tokens = tokens_in(environ)
    home = Home(root / name)
    files = rendered(home, templates, tokens, own)
    try:
        root.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
        try:
            _fill(unfinished, files)
            if environ.get("HOME"):
                copy_git_and_ssh(Path(environ["HOME"]), unfinished, _write_new)
            _write_marker(unfinished, home, files)
            check_new(root, name)
            unfinished.rename(home.path)  # fails on a folder that is not empty
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except OSError as error:
        raise CwError(
            f"{home.path} cannot be made: {error.strerror}", hint="Nothing was left behind"
        ) from error
    return home


def rendered(
    home: Home, templates: Path, tokens: Mapping[str, str], own: Path | None = None
) -> dict[str, bytes]:
    """The template files as this HOME gets them, by their path below it: ours, over them `own`'s
    for all workers, over them those for this one. Raises BadInputError, CwError.
    """
    words = {
        "worker": home.id,
        "home": str(home.path),
        "tokens": "\n".join(token_line(name, tokens.get(name, "")) for name in TOKENS),
    }
    found = {}
    for folder in (templates, *((own / FOR_ALL, own / home.id) if own else ())):
        for source in sorted(path for path in folder.rglob("*") if not path.is_dir()):
            name = source.relative_to(folder).as_posix()
            if name.partition("/")[0] in _NOT_YOURS:
                raise BadInputError(
                    f"{source} would lie where the host keeps its own", hint="Take it out"
                )
            found[name] = _rendered(source, words)
    return found


def _rendered(source: Path, words: Mapping[str, str]) -> bytes:
    try:
        content = source.read_bytes()
    except OSError as error:
        raise CwError(f"{source} cannot be read: {error.strerror}", hint="Mend it") from error
    if source.name == ".zshenv" and b"{{tokens}}" not in content:  # else it would have no login
        content += b"\n{{tokens}}\n"
    for word, value in words.items():
        content = content.replace(b"{{" + word.encode() + b"}}", value.encode())
    return content


def rules(home: Home, templates: Path, own: Path | None = None) -> dict[str, bytes]:
    """Those of them that say how an agent works: all but the logins."""
    found = rendered(home, templates, {}, own)
    return {name: text for name, text in found.items() if name != home.zshenv.name}


def fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fill(into: Path, files: Mapping[str, bytes]) -> None:
    for folder in (*_FOLDERS, ".claude", *(f".claude/{name}" for name in _CLAUDE_FOLDERS)):
        _make_dir(into / folder)
    for name, content in files.items():
        for parent in reversed(Path(name).parents[:-1]):
            _make_dir(into / parent)
        _write(into / name, content)


def token_line(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}" if value else f"# export {name}="


def _write_marker(into: Path, home: Home, files: Mapping[str, bytes]) -> None:
    """`files`: what cw itself wrote last, so that a change by hand shows."""
    rules = {name: text for name, text in files.items() if name != home.zshenv.name}
    marker = {
        "id": home.id,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "files": {name: fingerprint(text) for name, text in rules.items()},
    }
    _write(Home(into).marker, json.dumps(marker).encode() + b"\n")


def copy_git_and_ssh(user_home: Path, into: Path, write: Callable[[Path, bytes], None]) -> None:
    """The user's .gitconfig and .ssh, as far as they are regular files of that HOME."""
    base = user_home.resolve()
    _copy(base / ".gitconfig", into / ".gitconfig", base, write)
    ssh = base / ".ssh"
    if not ssh.is_dir() or not ssh.resolve().is_relative_to(base):
        return
    for folder, subfolders, names in os.walk(ssh):  # follows no link to a folder
        target = into / ".ssh" / Path(folder).relative_to(ssh)
        _make_dir(target)
        subfolders.sort()
        for name in names:
            _copy(Path(folder) / name, target / name, base, write)


def _copy(source: Path, target: Path, base: Path, write: Callable[[Path, bytes], None]) -> None:
    """A regular file, or a link to one that does not leave `base`. Anything else is left out."""
    real = source.resolve()
    if real.is_relative_to(base) and real.is_file() and stat.S_ISREG(real.stat().st_mode):
        write(target, real.read_bytes())


def _make_dir(path: Path) -> None:
    path.mkdir(mode=PRIVATE_DIR, exist_ok=True)
    path.chmod(PRIVATE_DIR)


def _write_new(path: Path, content: bytes) -> None:
    """What a template has is not copied from elsewhere."""
    if not path.exists():
        _write(path, content)


def _write(path: Path, content: bytes) -> None:
    """Private from the first byte on, whatever the umask."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), PRIVATE_FILE)
        file.write(content)
