"""Every setting, read once: environment `CW_*` over config.toml over defaults."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from cw import values
from cw.errors import BadInputError
from cw.private import refuse_open, refuse_overlap
from cw.token_names import GITHUB_LOGINS


def _setting(default: Any, read: Callable[[str], Any], doc: str, *also: str) -> Any:
    """`also`: other variables that give it when `CW_<NAME>` does not, first one wins."""
    metadata = {"read": read, "doc": doc, "also": also}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    broker_url: str = _setting(
        "",
        values.text,
        "Redis or Valkey: redis://, rediss:// or unix://. Empty: the private server that `cw up` starts",
    )
    broker_ca: Path | None = _setting(
        None, values.path, "Certificates (PEM) that the broker's must come from, for rediss://"
    )
    broker_insecure: bool = _setting(
        False,
        values.switch,
        "1: a broker on the network may do without TLS or password, because that network is private",
    )
    signing_key_file: Path | None = _setting(
        None,
        values.path,
        "Key that signs records and messages, the same on every machine of a fleet. Empty: signing.key in state_dir, made when first needed",
    )
    workers_root: Path = _setting(
        lambda: values.path("~/workers"), values.path, "Folder of the workers' HOMEs"
    )
    state_dir: Path = _setting(
        lambda: values.path("~/.local/state/cw"),
        values.path,
        "Private broker's data, logs, pid files",
    )
    host_name: str = _setting(
        socket.gethostname,
        values.host,
        "This machine's name in the fleet: letters, digits, dots, dashes and _",
    )
    host_tags: tuple[str, ...] = _setting(
        (),
        values.tags,
        "What this machine has, for `cw dispatch -t`: words such as gpu, with spaces between",
    )
    lost_host: str = _setting(
        "wait",
        values.one_of("wait", "redispatch"),
        "What becomes of tasks whose host fell silent, once their lease is over. wait: for that host; redispatch: another worker begins them anew",
    )
    agent: str = _setting(
        "claude",
        values.text,
        "The program that agents are: claude, or one that a package beside cw registers",
    )
    claude: str = _setting(
        "", values.text, "The claude binary. Empty: PATH, else the one inside claude-agent-sdk"
    )
    model: str = _setting("sonnet", values.text, "Model of a dispatch without -m")
    agent_env: tuple[str, ...] = _setting(
        (), values.names, "Names of variables of the host that agents get as well"
    )
    agent_user: str = _setting(
        "",
        values.text,
        "User that agents run as where the host is root, which they never are. Empty: the one of deploy/install.sh or the image; without one root starts nothing. A host that is not root runs them as itself",
    )
    isolation: str = _setting(
        "strict",
        values.one_of("strict", "outer", "claude", "none"),
        "The walls around agents. strict: bubblewrap around claude and claude's own sandbox in it, or nothing starts; outer: only bubblewrap, for agents that are not claude; claude: only its own sandbox (macOS); none",
    )
    allowed_domains: tuple[str, ...] = _setting(
        ("*.com", "*.io", "*.dev"),
        values.domains,
        "Hosts that agents reach, on ports 22, 80 and 443, besides GitHub and the task's repository: names, or *. and the rest of one",
    )
    trusted_repos: tuple[str, ...] = _setting(
        (),
        values.names,
        "Repositories (owner/repo) whose own .claude settings, hooks and rules claude loads",
    )
    sandbox_read: tuple[Path, ...] = _setting(
        (), values.paths, "More paths agents may read, separated by colons (toolchains)"
    )
    run_time_limit: float = _setting(14400.0, values.amount, "Seconds a run may take; 0: no limit")
    run_silence_limit: float = _setting(
        900.0, values.amount, "Seconds a run may write nothing; 0: no limit"
    )
    run_rest: float = _setting(
        30.0,
        values.amount,
        "Seconds that what an agent has left running may go on after its last word",
    )
    run_max_turns: int = _setting(
        0, values.count, "Turns a run may take (claude's --max-turns); 0: no limit"
    )
    run_max_usd: float = _setting(
        0.0, values.amount, "Dollars a run may cost (claude's --max-budget-usd); 0: no limit"
    )
    run_memory_mb: int = _setting(
        0, values.count, "Megabytes that a run's processes may take together (Linux); 0: no limit"
    )
    run_max_processes: int = _setting(
        2048, values.count, "Processes and threads that a run may have at once (Linux); 0: no limit"
    )
    run_log_mb: int = _setting(
        256, values.count, "Megabytes that an agent may write to its log; 0: no limit"
    )
    git_memory_mb: int = _setting(
        256,
        values.count,
        "Megabytes that one git of the host may take for what an agent left; with more it is too large to be judged (Linux); 0: no limit",
    )
    git_seconds: float = _setting(
        40.0,
        values.amount,
        "Seconds that the host's git may take for what an agent left, for all of one settling together; 0: no limit",
    )
    min_free_mb: int = _setting(
        1024,
        values.count,
        "Megabytes that must be free below workers_root: with less a host takes nothing, and with less than a tenth of it a run is ended",
    )
    stop_grace: float = _setting(
        10.0, values.amount, "Seconds between interrupt, terminate and kill of a run"
    )
    on_stop: str = _setting(
        "detach",
        values.one_of("detach", "drain", "interrupt"),
        "What a host does with its runs when it is stopped. detach: they go on without it; drain: it waits for them; interrupt: it stops them, and they go on at its next start",
    )
    max_attempts: int = _setting(2, values.count, "Runs a task may lose before it is crashed")
    max_deferrals: int = _setting(
        5, values.count, "Times a task may be deferred before it is failed"
    )
    defer_seconds: float = _setting(
        600.0, values.amount, "Pause after a passing fault that names no time itself"
    )
    lease_ttl: float = _setting(600.0, values.amount, "Seconds a lease lives without renewal")
    lease_renew: float = _setting(30.0, values.amount, "Seconds between renewals")
    lease_margin: float = _setting(
        60.0,
        values.amount,
        "Seconds before a lease's end at which its holder stops its own run; longer than twice stop_grace",
    )
    sweep_every: float = _setting(
        30.0, values.amount, "Seconds between sweeps for lost hints, ended leases and holds"
    )
    deaf_after: float = _setting(
        45.0,
        values.amount,
        "Seconds a message may wait for an idle consumer before the host restarts itself; 0: never",
    )
    history_limit: int = _setting(
        10000, values.count, "Finished tasks the broker remembers; the archives in HOME keep all"
    )
    rebuild_days: int = _setting(
        30,
        values.count,
        "Days of archives in HOME from which a broker that lost them is told of finished tasks; 0: none",
    )
    github_url: str = _setting(
        "https://github.com", values.url, "GitHub or GitHub Enterprise, as git reaches it"
    )
    github_api_url: str = _setting("https://api.github.com", values.url, "Its REST API")
    github_token: str = _setting(
        "",
        values.text,
        "Token for labels and comments of this machine's dispatches",
        *GITHUB_LOGINS,
    )
    github_access: str = _setting(
        "agent",
        values.one_of("agent", "host"),
        "agent: agents have a GitHub token, push and use gh; host: they have none, the host pushes and opens the pull request (needs bubblewrap)",
    )
    github_app_id: str = _setting(
        "", values.text, "Id of a GitHub App whose tokens are used instead of all others"
    )
    github_app_key_file: Path | None = _setting(
        None, values.path, "The App's private key (PEM), mode 0600"
    )
    protected_paths: tuple[str, ...] = _setting(
        (),
        values.labels,
        "More paths whose change makes a pull request a draft, as in .gitignore, separated by commas, besides those that docs/security.md lists; ! takes one back",
    )
    github_pace: float = _setting(1.0, values.amount, "Seconds between two writes to GitHub")
    assign_repos: tuple[str, ...] = _setting(
        (), values.names, "Repositories (owner/repo) whose issues `cw assign` and beat hand out"
    )
    assign_owner: str = _setting(
        "", values.text, "Account whose repositories are all taken, besides assign_repos"
    )
    assign_every: float = _setting(
        300.0, values.amount, "Seconds between assignments by beat; 0: only by `cw assign`"
    )
    assign_reserve: int = _setting(0, values.count, "Idle workers that assign leaves free")
    assign_go_label: str = _setting(
        "claude",
        values.text,
        "Label that admits an issue of a stranger, set by someone who may write",
    )
    assign_priority_labels: tuple[str, ...] = _setting(
        (), values.labels, "Labels whose issues come first, in this order, separated by commas"
    )
    assign_repo_cap: int = _setting(
        0,
        values.count,
        "Unfinished tasks of one repository beyond which assign adds none; 0: no cap",
    )
    assign_review_cap: int = _setting(
        0,
        values.count,
        "Workers' pull requests in review beyond which assign adds nothing; 0: no cap",
    )
    reconcile_every: float = _setting(
        180.0, values.amount, "Seconds between comparisons of labels with tasks by beat; 0: none"
    )
    reconcile_grace: float = _setting(
        120.0, values.amount, "Seconds in which a label, a task or an end is too young to be judged"
    )
    flower_port: int = _setting(5555, values.count, "Flower's port; 0: no Flower")
    flower_address: str = _setting(
        "127.0.0.1",
        values.text,
        "Address Flower listens on. Beyond loopback it needs TLS in front of it",
    )
    flower_password: str = _setting(
        "",
        values.text,
        "Flower's password for the user cw. Empty: one is made and kept in state_dir",
    )


# Each of them may also lie in a file that CW_<NAME>_FILE names, as containers get secrets.
SECRETS = frozenset({"github_token", "broker_url", "flower_password"})


def config_path(environ: Mapping[str, str]) -> Path:
    if environ.get("CW_CONFIG"):
        return values.path(environ["CW_CONFIG"])
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return values.path(base) / "cw" / "config.toml"


def load_settings(
    environ: Mapping[str, str], text: str | None = None
) -> tuple[Settings, dict[str, str]]:
    """The settings and, for each, where it came from. Raises BadInputError naming the culprit.

    `text`: what config.toml is going to say, instead of what it says.
    """
    path = config_path(environ)
    from_file = _read_file(path) if text is None else _values(text, path)
    given: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for one in fields(Settings):
        raw, source = _raw(one.name, one.metadata["also"], environ, from_file, path)
        origin[one.name] = source
        if raw is None:
            continue
        try:
            given[one.name] = one.metadata["read"](raw)
        except ValueError as error:
            shown = "its value" if one.name in SECRETS else repr(raw)
            raise BadInputError(
                f"{source}: {shown} does not fit {one.name}", hint=one.metadata["doc"]
            ) from error
    settings = Settings(**given)
    _check(settings)
    refuse_overlap(
        settings.sandbox_read,
        (settings.workers_root, settings.state_dir),
        (
            values.path(environ.get("HOME") or "~"),
            path,
            *filter(None, (settings.signing_key_file, settings.github_app_key_file)),
        ),
    )
    return settings, origin


def _raw(
    name: str, also: tuple[str, ...], environ: Mapping[str, str], file: dict[str, str], path: Path
) -> tuple[str | None, str]:
    for variable in (f"CW_{name.upper()}", *also):
        if environ.get(variable):
            return environ[variable], variable
    in_file = f"CW_{name.upper()}_FILE"
    if name in SECRETS and environ.get(in_file):
        secret = _read_secret(Path(environ[in_file]), in_file)
        if secret:  # an empty file counts as unset, like an empty variable
            return secret, in_file
    if name in file:
        return file[name], f"{path}"
    return None, "default"


def _read_secret(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{variable}: {path} cannot be read: {error}") from error


def _read_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error
    found = _values(text, path)
    if {"github_token", "flower_password"} & set(found) or "@" in found.get("broker_url", ""):
        refuse_open(path)
    return found


def _values(text: str, path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error
    known = {one.name for one in fields(Settings)}
    for name in data:
        if name not in known:
            raise BadInputError(f"{path}: no such setting: {name}", hint="cw config lists them")
    return {name: _flat(value) for name, value in data.items()}


def _flat(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _check(settings: Settings) -> None:
    if not settings.lease_renew < settings.lease_ttl - settings.lease_margin:
        raise BadInputError(
            "lease_renew must be shorter than lease_ttl minus lease_margin",
            hint="The defaults are 30, 600 and 60 seconds",
        )
    if bool(settings.github_app_id) != bool(settings.github_app_key_file):
        raise BadInputError(
            "github_app_id and github_app_key_file go together",
            hint="Set CW_GITHUB_APP_ID and CW_GITHUB_APP_KEY_FILE, or neither",
        )
    if not settings.lease_margin > 2 * settings.stop_grace:
        raise BadInputError(
            "lease_margin must be longer than twice stop_grace: a run that has lost its lease is"
            " killed by then",
            hint="The defaults are 60 and 10 seconds",
        )
