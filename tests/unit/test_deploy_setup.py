"""`deploy/setup` makes what docker compose needs, once; the wrappers know what is not theirs."""

from __future__ import annotations

import hashlib
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLEET = "rediss://host:secret@broker.example:6379/0"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    shutil.copy(ROOT / ".env.example", tmp_path)
    return tmp_path


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


def test_secrets_are_made_once_and_closed(checkout: Path) -> None:
    first = setup(checkout)
    made = secrets(checkout)
    again = setup(checkout)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert secrets(checkout) == made
    assert (made["github_token"], made["broker_ca"]) == ("ghp_x", "")
    assert len({made["operator_password"], made["flower_password"], made["host_url"]}) == 3
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


def test_joining_host_gets_the_url_and_no_broker(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("a certificate", "utf-8")

    done = setup(checkout, "--join", str(tmp_path / "ca.pem"), stdin=f"{FLEET}\n")

    assert done.returncode == 0, done.stderr
    made = secrets(checkout)
    assert (made["host_url"], made["broker_ca"]) == (FLEET, "a certificate")
    lines = (checkout / ".env").read_text(encoding="utf-8").splitlines()
    assert {"COMPOSE_PROFILES=", "CW_BROKER_INSECURE=0"} <= set(lines)
    assert "CW_BROKER_CA=/run/secrets/broker_ca" in lines


@pytest.mark.parametrize("url", ["", "redis://:x@broker.example", "rediss://broker.example"])
def test_address_that_is_open_to_others_is_refused(checkout: Path, url: str) -> None:
    done = setup(checkout, "--join", stdin=url)

    assert done.returncode == 2
    assert done.stderr.startswith("deploy/setup: ")
    assert not any(secrets(checkout).values())


@pytest.mark.parametrize("wrapper", ["deploy/cw", "deploy/systemd/cw"])
@pytest.mark.parametrize("command", ["up", "down", "update"])
def test_wrapper_says_who_starts_and_stops_services_there(wrapper: str, command: str) -> None:
    done = subprocess.run(
        [str(ROOT / wrapper), command], env={}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"cw {command} is ")
