"""`deploy/setup` makes what docker compose needs, once; the wrappers know what is not theirs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from cw.settings import load_settings
from tests.standins.bare_root import RESTRICTED, make_root

ROOT = Path(__file__).parents[2]
FLEET = "rediss://host:secret@broker.example:6379/0"
OTHER = "rediss://host:secret@other.example:6379/0"
URLS = ("host_url", "dispatcher_url", "flower_url")
JOINED = {
    "COMPOSE_PROFILES": "",
    "CW_BROKER_INSECURE": "0",
    "CW_HOST_NAME": os.uname().nodename,
    "CW_BROKER_CA": "/run/secrets/broker_ca",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy(tmp_path)


def copy(folder: Path) -> Path:
    """As git has it: nothing that a person has made in it."""
    ignored = shutil.ignore_patterns("secrets", "config.toml")
    shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=ignored)
    shutil.copy(ROOT / ".env.example", folder)
    return folder


def setup(checkout: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "deploy" / "setup"), *words],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "GH_TOKEN": "ghp_x"},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def secrets(checkout: Path) -> dict[str, str]:
    folder = checkout / "deploy" / "secrets"
    return {one.name: one.read_text(encoding="utf-8") for one in folder.iterdir()}


def options(checkout: Path) -> dict[str, str]:
    text = (checkout / ".env").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_secrets_are_made_once_and_closed(checkout: Path) -> None:
    first = setup(checkout)
    made = secrets(checkout)
    again = setup(checkout)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert secrets(checkout) == made
    assert (made["github_token"], made["broker_ca"], made["notify_to"]) == ("ghp_x", "", "")
    names = ("operator_password", "flower_password", "host_url", "notify_secret")
    assert len({made[name] for name in names} - {""}) == 4
    folder = checkout / "deploy" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700, "the files are open to containers' users"
    assert (checkout / ".env").read_text() == (ROOT / ".env.example").read_text()


def test_each_role_s_password_is_the_broker_s(checkout: Path) -> None:
    setup(checkout)
    made = secrets(checkout)
    users = {line.split()[1]: line for line in made["broker_acl"].splitlines() if "#" in line}

    assert set(users) == {"host", "dispatcher", "flower", "operator"}
    for role, line in users.items():
        url = made.get(f"{role}_url", "")
        password = url.split(":")[2].partition("@")[0] if url else made["operator_password"]
        assert f" #{hashlib.sha256(password.encode()).hexdigest()} " in line, role
    assert "_PASSWORD" not in made["broker_acl"]


def test_settings_are_the_owner_s_and_for_every_user_to_read(checkout: Path) -> None:
    setup(checkout)
    made = checkout / "deploy" / "config.toml"
    assert stat.S_IMODE(made.stat().st_mode) == 0o644, "containers have other users"

    made.write_text('[host]\ntags = ["gpu"]\n', "utf-8")
    setup(checkout)

    assert load_settings({"CW_CONFIG": str(made)})[0].host_tags == ("gpu",)


@pytest.mark.parametrize("before", ["nothing", "the example", "a fleet", "another broker"])
def test_joining_host_gets_the_url_and_no_broker(
    checkout: Path, tmp_path: Path, before: str
) -> None:
    (tmp_path / "ca.pem").write_text("a certificate", "utf-8")
    if before == "the example":
        shutil.copy(checkout / ".env.example", checkout / ".env")
    elif before == "a fleet":
        setup(checkout)
    elif before == "another broker":
        setup(checkout, "--join", stdin=OTHER)

    done = setup(checkout, "--join", str(tmp_path / "ca.pem"), stdin=f"{FLEET}\n")

    assert done.returncode == 0, done.stderr
    made = secrets(checkout)
    assert [made[one] for one in URLS] == [FLEET] * 3
    assert made["broker_ca"] == "a certificate"
    assert options(checkout).items() >= JOINED.items()
    assert ("replaced deploy/secrets/host_url" in done.stdout) == (
        before in {"a fleet", "another broker"}
    )
    assert ("--force-recreate" in done.stdout) == ("replaced" in done.stdout)
    assert ("stop redis beat flower" in done.stdout) == (before in {"the example", "a fleet"})
    assert "secret@" not in done.stdout


def test_joining_again_keeps_the_certificate_and_a_name_of_one_s_own(
    checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("a certificate", "utf-8")
    setup(checkout, "--join", str(tmp_path / "ca.pem"), stdin=FLEET)
    env = checkout / ".env"
    env.write_text(
        env.read_text("utf-8").replace(f"NAME={os.uname().nodename}", "NAME=east"), "utf-8"
    )
    before = (secrets(checkout), env.read_text("utf-8"))

    again = setup(checkout, "--join", stdin=FLEET)
    plain = setup(checkout)

    assert "replaced" not in again.stdout + plain.stdout
    assert (secrets(checkout), env.read_text("utf-8")) == before
    assert options(checkout)["CW_HOST_NAME"] == "east"


def test_line_that_an_older_env_lacks_is_added(checkout: Path) -> None:
    (checkout / ".env").write_text("COMPOSE_PROFILES=fleet\nCW_MODEL=opus", "utf-8")

    setup(checkout, "--join", stdin=FLEET)

    wanted = JOINED | {"CW_MODEL": "opus"}
    del wanted["CW_BROKER_CA"]
    assert options(checkout) == wanted


@pytest.mark.parametrize("url", ["", "redis://:x@broker.example", "rediss://broker.example"])
def test_address_that_is_open_to_others_is_refused(checkout: Path, url: str) -> None:
    done = setup(checkout, "--join", stdin=url)

    assert done.returncode == 2
    assert done.stderr.startswith("deploy/setup: ")
    assert not (checkout / ".env").exists()
    assert not (checkout / "deploy" / "secrets").exists()


def test_certificate_that_is_not_there_is_refused(checkout: Path) -> None:
    done = setup(checkout, "--join", "/nowhere/ca.pem", stdin=FLEET)

    assert (done.returncode, done.stderr) == (
        2,
        "deploy/setup: no such certificate: /nowhere/ca.pem\n",
    )
    assert not (checkout / ".env").exists()


@pytest.mark.parametrize("restricted", ["0\n", "1\n"])
def test_restricted_kernel_gets_its_apparmor_profile(tmp_path: Path, restricted: str) -> None:
    machine = make_root(tmp_path / "root")
    machine.write(RESTRICTED, restricted)
    copy(machine.root / "own")

    done = machine.run("/own/deploy/setup")

    assert done.returncode == 0, done.stderr
    there = restricted == "1\n"
    assert options(machine.root / "own")["CW_APPARMOR"] == (
        "cw-workerhost" if there else "unconfined"
    )
    assert ("sudo apparmor_parser -r /etc/apparmor.d/cw-workerhost" in done.stdout) == there
    machine.write("etc/apparmor.d/cw-workerhost", "loaded")
    assert "apparmor_parser" not in machine.run("/own/deploy/setup").stdout


@pytest.mark.parametrize("wrapper", ["deploy/cw", "deploy/systemd/cw"])
@pytest.mark.parametrize("command", ["up", "down", "update"])
def test_wrapper_says_who_starts_and_stops_services_there(wrapper: str, command: str) -> None:
    done = subprocess.run(
        [str(ROOT / wrapper), command], env={}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"cw {command} is ")
