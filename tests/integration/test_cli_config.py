"""`cw config` and its `set`, `unset`, `path` and `schema`, and names as they are typed."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cw.cli.configfile import alone
from cw.cli.views.schemas import schema
from cw.errors import BadInputError
from cw.services.processes import mark
from tests.conftest import Cw

COMMENTED = "# mine\n[run]\nrest = 5  # short\n"
Refuse = Callable[..., str]


@pytest.fixture
def path(cw_environ: dict[str, str]) -> Path:
    return Path(cw_environ["CW_CONFIG"])


@pytest.fixture
def refused(cw: Cw, path: Path) -> Refuse:
    """Types a command that changes nothing and says why in one line."""

    def refuse(*words: str, stdin: str | bytes = "", **more: str) -> str:
        before = path.read_bytes() if path.is_file() else None
        done = cw("config", *words, stdin=stdin, **more)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("cw: ")
        assert (path.read_bytes() if path.is_file() else None) == before
        return done.stderr

    return refuse


def settings(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [row["setting"] for row in json.loads(done.stdout)]


@pytest.mark.parametrize("typed", ["run.time_limit", "run_time_limit", "CW_RUN_TIME_LIMIT"])
def test_setting_is_meant_by_each_of_its_names(cw: Cw, path: Path, typed: str) -> None:
    assert settings(cw("config", typed, "--json")) == ["run_time_limit"]
    assert cw("config", "set", typed, "60").returncode == 0
    assert tomllib.loads(path.read_text()) == {"run": {"time_limit": 60}}
    assert cw("config", "unset", typed).returncode == 0
    assert path.read_text() == ""


def test_section_is_meant_as_a_whole(cw: Cw) -> None:
    assert settings(cw("config", "lease", "--json")) == ["lease_ttl", "lease_renew", "lease_margin"]
    assert settings(cw("config", "lease.ttl", "[lease]", "--json")) == settings(
        cw("config", "lease", "--json")
    )
    assert settings(cw("config", "CW_LEASE_TTL", "lease.ttl", "--json")) == ["lease_ttl"]


def test_options_may_stand_before_the_names(cw: Cw) -> None:
    assert settings(cw("config", "--json", "model")) == ["model"]
    assert settings(cw("config", "show", "model", "--json")) == ["model"]
    assert len(settings(cw("config", "--json"))) > 50
    assert "Show every setting" in cw("config", "--help").stdout


def test_what_was_set_is_in_force_and_said(cw: Cw, path: Path) -> None:
    path.write_text(COMMENTED)

    done = cw("config", "set", "run.time_limit", "90.5")

    assert done.stdout == f"run.time_limit = 90.5 in {path}\n"
    assert done.stderr == ""
    assert path.read_text() == COMMENTED + "time_limit = 90.5\n"
    (row,) = json.loads(cw("config", "run.time_limit", "--json").stdout)
    assert (row["value"], row["from"]) == ("90.5", str(path))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("assign.repos", "acme/app", "acme/site"), {"assign.repos": ["acme/app", "acme/site"]}),
        (("assign.repos", "acme/app, acme/site"), {"assign.repos": ["acme/app", "acme/site"]}),
        (("assign.priority_labels", "P1", "a b"), {"assign.priority_labels": ["P1", "a b"]}),
        (("sandbox.allowed_domains", ""), {"sandbox.allowed_domains": []}),
        (("sandbox.read", "/a b", "/c:/d"), {"sandbox.read": ["/a b", "/c", "/d"]}),
        (("broker.insecure", "1"), {"broker.insecure": True}),
        (("broker.url", "redis://127.0.0.1/0?db=1"), {"broker.url": "redis://127.0.0.1/0?db=1"}),
        (("agent.model", 'a"b\\c é'), {"agent.model": 'a"b\\c é'}),
        (("task.max_attempts=3", "run.rest=1.0"), {"task.max_attempts": 3, "run.rest": 1}),
        (
            ("github.app_id=12", "github.app_key_file=/k"),
            {"github.app_id": "12", "github.app_key_file": "/k"},
        ),
    ],
)
def test_value_is_written_as_its_kind(
    cw: Cw, path: Path, words: tuple[str, ...], wanted: dict[str, object]
) -> None:
    done = cw("config", "set", *words)

    assert done.returncode == 0, done.stderr
    written = tomllib.loads(path.read_text())
    flat = {f"{name}.{key}": value for name, keys in written.items() for key, value in keys.items()}
    assert flat == wanted
    schema = json.loads(cw("config", "schema").stdout)
    Draft202012Validator(schema).validate(written)
    assert cw("config").returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Missing argument"),
        (("model",), "agent.model needs a value. To take it out of config.toml: cw config unset"),
        (("modle", "x"), "there is no setting 'modle'. Did you mean: agent.model"),
        (("run", "x"), "there is no setting 'run'"),
        (("run.time_limit", "soon"), "run.time_limit: 'soon' does not fit run.time_limit"),
        (("run.time_limit", "1", "2"), "run.time_limit has one value"),
        (("lease.ttl", "10"), "lease.renew must be shorter than lease.ttl"),
        (("github.app_id", "12"), "github.app_id and github.app_key_file go together"),
        (("sandbox.read", "/"), "would show"),
        (("host.workers_root", ""), "'' does not fit host.workers_root"),
        (("run.rest=1", "run.log_mb"), "'run.log_mb' is not NAME=VALUE"),
        (("run.rest=1", "CW_RUN_REST=2"), "run.rest was given twice"),
        (("run.rest", "-"), "stdin has nothing for run.rest"),
        (("github.token", "hunter2"), "github.token is a secret"),
        (("github.token=hunter2",), "github.token is a secret"),
        (("broker.url", "redis://:hunter2@h/0"), "broker.url is a secret"),
    ],
)
def test_what_does_not_fit_is_not_set(
    refused: Refuse, path: Path, words: tuple[str, ...], says: str
) -> None:
    path.write_text(COMMENTED)

    said = refused("set", *words)

    assert says in said
    assert "hunter2" not in said


def test_secret_comes_by_stdin_and_makes_the_file_private(cw: Cw, path: Path) -> None:
    path.write_text(COMMENTED)
    path.chmod(0o644)

    done = cw("config", "set", "github.token", "-", stdin="hunter2\n")

    assert done.stdout == f"github.token = ******** in {path}\n"
    assert tomllib.loads(path.read_text())["github"] == {"token": "hunter2"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cw("config", "set", "run.rest", "6").returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_without_secrets_keeps_its_mode_and_a_new_one_is_private(cw: Cw, path: Path) -> None:
    assert cw("config", "set", "run.rest", "6").returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)

    assert cw("config", "set", "run.rest", "7").returncode == 0

    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_folder_of_the_file_is_made(cw: Cw, tmp_path: Path) -> None:
    there = tmp_path / "a" / "b" / "config.toml"

    assert cw("config", "set", "run.rest", "6", CW_CONFIG=str(there)).returncode == 0

    assert there.read_text() == "[run]\nrest = 6\n"
    assert stat.S_IMODE(there.parent.stat().st_mode) == 0o700


def test_value_that_does_not_fit_can_be_put_right(cw: Cw, path: Path) -> None:
    path.write_text("[lease]\nttl = 'soon'\n")
    assert cw("config").returncode == 2

    assert cw("config", "set", "lease.ttl", "700").returncode == 0

    assert cw("config", "lease.ttl").returncode == 0


def test_variable_that_wins_is_named_and_does_not_stand_in_the_way(cw: Cw, path: Path) -> None:
    done = cw("config", "set", "lease.ttl", "700", CW_LEASE_TTL="10")

    assert tomllib.loads(path.read_text()) == {"lease": {"ttl": 700}}
    assert done.stderr == "cw: CW_LEASE_TTL is set and wins over config.toml\n"


def test_what_runs_is_said_to_go_on_as_before(cw: Cw, cw_environ: dict[str, str]) -> None:
    state = Path(cw_environ["CW_STATE_DIR"])
    state.mkdir(mode=0o700)
    with (state / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        me = mark(os.getpid())
        assert me
        lock.write(me.model_dump_json())
        lock.flush()

        said = cw("config", "set", "run.rest", "6").stderr

    assert "cw down; cw up -d" in said


def test_unset_takes_whole_sections_and_old_names_too(cw: Cw, path: Path) -> None:
    path.write_text("run_rest = 5\nmodel = 'x'\n\n[run]\nlog_mb = 1\n\n[lease]\nttl = 700\n")

    done = cw("config", "unset", "run", "CW_MODEL")

    assert done.stdout == f"run.rest, run.log_mb, agent.model taken out of {path}\n"
    assert path.read_text() == "[lease]\nttl = 700\n"


def test_nothing_to_unset_is_said_and_nothing_is_made(cw: Cw, path: Path) -> None:
    done = cw("config", "unset", "run.rest")

    assert (done.returncode, done.stdout) == (0, f"{path} says nothing of run.rest\n")
    assert not path.exists()


@pytest.mark.parametrize("words", [("unset",), ("unset", "modle"), ("unset", "lease.margin")])
def test_what_cannot_be_unset(refused: Refuse, path: Path, words: tuple[str, ...]) -> None:
    """The last one leaves a lease that does not fit what it has to."""
    path.write_text("[lease]\nttl = 50\nmargin = 21\nrenew = 5\n")

    refused(*words)


def test_old_names_are_named_once_and_go_when_they_are_set(cw: Cw, path: Path) -> None:
    path.write_text("run_rest = 5\nmodel = 'x'\n")
    line = "old names: run_rest is now rest in [run], model is now model in [agent]\n"

    assert cw("config", "model").stderr == f"cw: warning: {path} has {line}"

    assert cw("config", "set", "run.rest=6", "agent.model=y").returncode == 0
    assert cw("config", "model").stderr == ""


@pytest.mark.parametrize("verb", [("set", "run.rest", "6"), ("unset", "run.rest"), ("edit",)])
def test_odd_file_is_left_alone(
    refused: Refuse, path: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    words, editor = verb, {"EDITOR": "true"}
    path.symlink_to("gone/config.toml")
    assert "is a link to gone/config.toml, where there is nothing" in refused(*words, **editor)
    path.unlink()
    path.mkdir()
    assert "cannot be read" in refused(*words, **editor)
    path.rmdir()
    path.write_bytes(b"\xff[run]\nrest = 5\n")
    assert "cannot be read" in refused(*words, **editor)
    assert [one for one in tmp_path.iterdir() if one.name.startswith("config-")] == []


@pytest.mark.parametrize("text", ["[run]\nrest = 5\nrest = 6\n", "[run\n", "run = 5\n", "[runs]\n"])
def test_broken_file_is_not_written(refused: Refuse, path: Path, text: str) -> None:
    path.write_text(text)

    assert str(path) in refused("set", "run.rest", "6")


def test_path_is_told_whatever_lies_there(cw: Cw, path: Path) -> None:
    assert cw("config", "path").stdout == f"{path}\n"
    path.write_text("[[[")
    assert cw("config", "path").stdout == f"{path}\n"


def completed(cw: Cw, words: str) -> list[str]:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = cw(_CW_COMPLETE="bash_complete", **asked)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_shell_is_offered_verbs_settings_and_what_they_can_be(cw: Cw) -> None:
    first = completed(cw, "cw config ")
    assert {"set", "unset", "edit", "path", "schema", "run.rest", "run"} <= set(first)
    assert completed(cw, "cw config run.re") == ["run.rest"]
    assert completed(cw, "cw config model flower.po") == ["flower.port"]
    assert completed(cw, "cw config run_re") == ["run_rest"]
    assert completed(cw, "cw config unset CW_RUN_RE") == ["CW_RUN_REST"]
    assert completed(cw, "cw config set fleet.lo") == ["fleet.lost_host"]
    assert completed(cw, "cw config set fleet.lost_host ") == ["wait", "redispatch"]
    assert completed(cw, "cw config set broker.insecure t") == ["true"]
    assert completed(cw, "cw config set nonsense ") == [""]


def test_changes_that_are_made_at_once_are_all_there(cw: Cw, path: Path) -> None:
    """Each process reads the whole file and writes it again."""
    names = ("time_limit", "silence_limit", "max_turns", "memory_mb", "max_processes", "log_mb")
    path.write_text("# mine\n")

    with ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(lambda name: cw("config", "set", f"run.{name}", "900"), names))

    assert [one.stderr for one in done if one.returncode] == []
    assert tomllib.loads(path.read_text()) == {"run": dict.fromkeys(names, 900)}


def test_lock_of_somebody_who_does_not_end_is_said(path: Path) -> None:
    with alone(path), pytest.raises(BadInputError) as said, alone(path, seconds=0):
        pass

    assert said.value.message == f"{path} is being changed by another cw"


def test_json_says_what_was_changed_and_where(cw: Cw, path: Path) -> None:
    where = json.loads(cw("config", "path", "--json").stdout)
    set_ = json.loads(
        cw("config", "set", "run.rest=7", "github.token=-", "--json", stdin="ghp_x").stdout
    )
    there = json.loads(cw("config", "path", "--json").stdout)
    gone = json.loads(cw("config", "unset", "run", "--json", CW_RUN_REST="8").stdout)
    nothing = json.loads(cw("config", "unset", "run", "--json").stdout)

    assert (where, there) == tuple({"config": str(path), "exists": one} for one in (False, True))
    assert [(row["setting"], row["value"]) for row in set_["settings"]] == [
        ("run_rest", "7"),
        ("github_token", "********"),
    ]
    assert [(row["setting"], row["value"]) for row in gone["settings"]] == [("run_rest", None)]
    assert gone["warnings"] == ["CW_RUN_REST is set and wins over config.toml"]
    assert nothing == {"config": str(path), "settings": [], "warnings": []}
    for name, said in (("path", where), ("set", set_), ("unset", gone), ("unset", nothing)):
        Draft202012Validator(schema(f"config {name}")).validate(said)


def test_config_shows_value_and_origin(cw: Cw, cw_environ: dict[str, str]) -> None:
    Path(cw_environ["CW_CONFIG"]).write_text(
        '[agent]\nmodel = "opus"\n[lease]\nttl = 300\n', "utf-8"
    )

    found = json.loads(cw("config", "--json", CW_LEASE_TTL="400").stdout)

    rows = {one["setting"]: one for one in found}
    assert (rows["model"]["value"], rows["model"]["from"]) == ("opus", cw_environ["CW_CONFIG"])
    assert (rows["lease_ttl"]["value"], rows["lease_ttl"]["from"]) == ("400", "CW_LEASE_TTL")
    assert rows["max_attempts"]["from"] == "default"
    assert all(one["meaning"] for one in found)


def test_config_of_named_settings_shows_them_alone(cw: Cw) -> None:
    assert [
        one["setting"] for one in json.loads(cw("config", "model", "CW_ON_STOP", "--json").stdout)
    ] == [
        "model",
        "on_stop",
    ]
    refused = cw("config", "modle")
    assert refused.returncode == 2
    assert refused.stderr == "cw: there is no setting 'modle'. Did you mean: agent.model\n"


def test_json_of_config_is_what_its_schema_says(cw: Cw) -> None:
    found = json.loads(cw("config", "run", "--json").stdout)

    Draft202012Validator(schema("config")).validate(found)
    assert {(one["section"], one["variable"]) for one in found} >= {("run", "CW_STOP_GRACE")}


def test_config_masks_secrets(cw: Cw) -> None:
    secrets = {
        "GH_TOKEN": "ghp_hunter2",
        "CW_BROKER_URL": "redis://me:hunter2@h:1/0?password=hunter2",
    }

    text, data = cw("config", **secrets), cw("config", "--json", **secrets)

    assert "hunter2" not in text.stdout + text.stderr + data.stdout
    assert "GH_TOKEN" in text.stdout
