"""`deploy/install.sh` in a root of its own: roles, the owner's settings, and the command cw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standins.bare_root import CHECKOUT, RESTRICTED, BareRoot, make_root

ALL = {"cw-broker", "cw-host", "cw-beat", "cw-flower"}
FLEET = "rediss://host:secret@broker.example:6379/0"
OTHER = "rediss://host:secret@other.example:6379/0"
ENVIRONMENT = "etc/cw/environment"
URL = "var/lib/cw/secrets/broker_url"


@pytest.fixture
def machine(tmp_path: Path) -> BareRoot:
    return make_root(tmp_path / "root")


def started(machine: BareRoot) -> set[str]:
    return {
        line.split()[-1]
        for line in machine.read("log").splitlines()
        if line.startswith("systemctl restart ")
    }


def test_machine_of_its_own_has_every_unit_and_a_broker_on_a_socket(machine: BareRoot) -> None:
    machine.install()

    assert machine.units() == started(machine) == ALL
    assert machine.read(URL).startswith("unix://:")
    assert machine.read("etc/cw/redis.conf").startswith("port 0\n")


def test_update_changes_no_setting_and_no_secret(machine: BareRoot) -> None:
    machine.install()
    machine.write(ENVIRONMENT, machine.read(ENVIRONMENT) + "CW_MODEL=opus\n")
    before = {path: machine.read(path) for path in (ENVIRONMENT, URL, "etc/cw/redis.conf")}

    machine.install()

    assert {path: machine.read(path) for path in before} == before


def test_update_of_a_joined_machine_makes_it_no_broker(machine: BareRoot) -> None:
    machine.install("--join", stdin=f"{FLEET}\n")
    assert machine.units() == {"cw-host"}

    machine.install()

    assert machine.units() == started(machine) == {"cw-host"}
    assert machine.read(URL) == FLEET
    assert not (machine.root / "etc/cw/redis.conf").exists()


def test_machine_with_a_broker_that_joins_keeps_only_its_host(machine: BareRoot) -> None:
    machine.install()

    said = machine.install("--join", stdin=FLEET)

    assert machine.units() == {"cw-host"}
    assert machine.read(URL) == FLEET
    assert "another one from now on: rediss://…@broker.example:6379/0" in said
    assert "secret" not in said
    disabled = {line.split()[-1] for line in machine.read("log").splitlines() if "disable" in line}
    assert disabled >= ALL - {"cw-host"}


def test_corrected_url_replaces_the_wrong_one(machine: BareRoot) -> None:
    machine.install("--join", stdin=OTHER)

    assert "another one" in machine.install("--join", stdin=FLEET)
    assert machine.read(URL) == FLEET
    assert "another one" not in machine.install("--join", stdin=FLEET)


def test_certificate_given_later_is_used(machine: BareRoot) -> None:
    machine.write("tmp/ca.pem", "a certificate")
    machine.install("--join", stdin=FLEET)

    machine.install("--join", "/tmp/ca.pem", stdin="")
    machine.install("--join", "/tmp/ca.pem", stdin="")

    assert machine.read("etc/cw/broker-ca.pem") == "a certificate"
    assert machine.read(ENVIRONMENT).count("CW_BROKER_CA=/etc/cw/broker-ca.pem\n") == 1
    machine.install("--join", stdin=FLEET)
    assert "CW_BROKER_CA=/etc/cw/broker-ca.pem\n" in machine.read(ENVIRONMENT)
    machine.install("--join", "/dev/null", stdin=FLEET)
    assert "CW_BROKER_CA" not in machine.read(ENVIRONMENT)


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (["--join"], ""),
        (["--join"], "redis://:x@broker.example"),
        (["--join"], "rediss://broker.example"),
        (["--join", "/nowhere/ca.pem"], FLEET),
    ],
)
def test_join_without_what_it_needs_changes_nothing(
    machine: BareRoot, words: list[str], stdin: str
) -> None:
    done = machine.run("/checkout/deploy/install.sh", *words, stdin=stdin)

    assert done.returncode == 2
    assert done.stderr.startswith("install.sh: ")
    assert done.stderr.count("\n") == 1
    assert not (machine.root / URL).exists()
    assert machine.units() == set()


def test_uninstall_keeps_the_owner_s_settings_for_the_next_installation(machine: BareRoot) -> None:
    machine.install()
    machine.write("etc/cw/config.toml", '[agent]\nmodel = "opus"\n')
    machine.write("etc/cw/redis.conf", machine.read("etc/cw/redis.conf") + "maxclients 50\n")
    drop_in = "etc/systemd/system/cw-host.service.d/override.conf"
    machine.write(drop_in, "[Service]\nMemoryMax=4G\n")

    said = machine.install("--uninstall")
    machine.install("--uninstall")

    assert not (machine.root / "etc/cw").exists()
    assert not any((machine.root / "etc/systemd/system").iterdir())
    assert not (machine.root / "opt/cw").exists()
    assert machine.read("var/lib/cw-etc/config.toml") == '[agent]\nmodel = "opus"\n'
    assert "/var/lib/cw-etc" in said

    machine.install()

    assert machine.read("etc/cw/config.toml") == '[agent]\nmodel = "opus"\n'
    assert machine.read("etc/cw/redis.conf").endswith("maxclients 50\n")
    assert "MemoryMax=4G" in machine.read(drop_in)
    assert not (machine.root / "var/lib/cw-etc").exists()


def test_one_bubblewrap_in_the_other_is_what_has_to_work(machine: BareRoot) -> None:
    assert "bubblewrap does not work" not in machine.install()

    machine.write("walls", "1\n")

    assert "bubblewrap does not work" in machine.install()


@pytest.mark.parametrize(("restricted", "walls"), [("1\n", "1\n"), ("1\n", "2\n"), ("0\n", "1\n")])
def test_rule_of_apparmor_is_loaded_where_it_is_needed(
    machine: BareRoot, restricted: str, walls: str
) -> None:
    machine.write(RESTRICTED, restricted)
    machine.write("walls", walls)

    machine.install()

    needed = (restricted, walls) == ("1\n", "1\n")
    assert (machine.root / "etc/apparmor.d/cw-bwrap").exists() == needed
    assert ("apparmor_parser --replace" in machine.read("log")) == needed


# What systemd makes of them: man systemd.exec, EnvironmentFile=.
LINES = {
    "V1=A B": "A B",
    "  V2= A B ": "A B",
    'V3="A B"': "A B",
    "V4='A B'": "A B",
    'V5=say "x"': 'say "x"',
    "V6=$(touch /evaluated) `touch /evaluated`; touch /evaluated": (
        "$(touch /evaluated) `touch /evaluated`; touch /evaluated"
    ),
    "V7=$HOME/*": "$HOME/*",
    "V8=a=b#c": "a=b#c",
    "V9=": "",
    "; V1=a comment": None,
    "# V1=a comment": None,
    "": None,
    "V10=without a line break": "without a line break",
}


@pytest.mark.parametrize("user", ["root", "worker"])
def test_command_reads_the_environment_as_the_units_do(machine: BareRoot, user: str) -> None:
    wrapper = (CHECKOUT / "deploy/systemd/cw").read_text(encoding="utf-8")
    machine.write("usr/local/bin/cw", wrapper, 0o755)
    machine.write(ENVIRONMENT, "\n".join(LINES))
    names = " ".join(f'"$V{number}"' for number in range(1, 11))
    machine.write("opt/cw/bin/cw", f'#!/bin/sh\nprintf "%s|" {names} "$@"\n', 0o755)
    # The stand-in for runuser cannot change what the real one says.
    machine.write("stubs/id", f'#!/bin/sh\necho "${{AS:-{user}}}"\n', 0o755)

    done = machine.run("cw", "dispatch", "-p", "a b")

    assert done.stderr == ""
    values = [one for one in LINES.values() if one is not None]
    assert done.stdout.split("|") == [*values, "dispatch", "-p", "a b", ""]
    assert not (machine.root / "evaluated").exists()
