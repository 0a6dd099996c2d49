"""Where agents may go: the allowed domains, what was configured, and never the broker."""

from __future__ import annotations

import json
import socket

import pytest

from cw.errors import BadInputError
from cw.settings import Settings, load_settings
from workerhost.walls.addresses import is_public
from workerhost.walls.http_framing import RefusedError
from workerhost.walls.network_access import Reach, reach, through_the_door, tool_domains
from workerhost.walls.proxy_rules import Rules, split_place


def rules(told: Reach) -> Rules:
    order: dict[str, dict[str, str]] = told.order()  # type: ignore[assignment]
    return Rules(json.loads(order["env"]["CW_REACH"]))


def reached(told: Reach, target: str) -> bool:
    """As if a client had asked for a tunnel to `target`."""
    try:
        rules(told).check(*split_place(target, 443))
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize(
    "target",
    [
        "api.anthropic.com:443",
        "github.com",
        "GitHub.Com.:443",
        "a.b.example.com:80",
        "example.com:22",
        "crates.io:443",
    ],
)
def test_allowed_by_default(target: str) -> None:
    assert reached(reach(Settings(), {}), target)


@pytest.mark.parametrize(
    "target",
    [
        "example.org:443",
        "com:443",
        "examplecom:443",
        "example.com:6379",
        "example.com:8080",
        "localhost:443",
        "127.0.0.1:443",
        "127.1:80",
        "2130706433:80",
        "0x7f000001:80",
        "[::1]:443",
        "[::ffff:127.0.0.1]:443",
        "169.254.169.254:80",
        "10.0.0.1:443",
        "8.8.8.8:443",
        "evil.org\0.example.com:443",
        "evil.org#.example.com:443",
        "evil.org/.example.com:443",
        "user@example.org:443",
        "example.com@example.org:443",
        "example.com:99999",
        "",
    ],
)
def test_closed_by_default(target: str) -> None:
    assert not reached(reach(Settings(), {}), target)


def test_configured_places_are_open_at_their_very_port() -> None:
    settings = Settings(
        github_url="http://git.corp:8080", github_api_url="https://10.1.2.3/api", allowed_domains=()
    )
    told = reach(settings, {"ANTHROPIC_BASE_URL": "http://127.0.0.1:4000"}, "ssh://git@host:2222/x")

    for place in ("git.corp:8080", "10.1.2.3:443", "127.0.0.1:4000", "host:2222"):
        assert reached(told, place)
    for place in ("git.corp:443", "10.1.2.3:22", "127.0.0.1:4001", "host:22", "github.com:443"):
        assert not reached(told, place)


def test_repository_by_scp_notation_is_open_for_ssh() -> None:
    assert reached(reach(Settings(), {}, "git@host.example.org:a/b.git"), "host.example.org:22")


@pytest.mark.parametrize("url", ["rediss://:pw@broker.example.com:443/0", "redis://127.0.0.1:6400"])
def test_broker_is_closed_whatever_else_opens_it(url: str) -> None:
    place = url.partition("@")[2].removesuffix("/0") or "127.0.0.1:6400"
    told = reach(Settings(broker_url=url), {}, f"http://{place}/repo.git")

    assert place in told.endpoints
    assert not reached(told, place)


def test_name_that_points_into_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(RefusedError, match="private network"):
        rules(reach(Settings(), {})).connect("rebound.example.com", 80)


def test_tools_get_no_way_to_the_api_of_their_own() -> None:
    settings = Settings(allowed_domains=("*.io",))

    assert tool_domains(settings, "https://git.example.org/x.git") == [
        "*.io",
        "github.com",
        "api.github.com",
        "git.example.org",
    ]


def test_operators_proxy_is_asked_by_ours_and_not_by_the_agent() -> None:
    env = {"HTTPS_PROXY": "http://me:pw@proxy:3128", "no_proxy": "corp", "A": "1"}
    told = reach(Settings(), env)

    assert rules(told).upstream("example.com") == "http://me:pw@proxy:3128"
    assert rules(told).upstream("git.corp") == ""
    inside = through_the_door(env)
    assert inside["A"] == "1"
    assert "pw" not in json.dumps(inside)
    assert "no_proxy" not in inside
    assert inside["HTTPS_PROXY"] == inside["http_proxy"] == "http://127.0.0.1:3129"


def test_proxy_that_cannot_be_asked_is_said() -> None:
    with pytest.raises(BadInputError, match="socks5"):
        reach(Settings(), {"all_proxy": "socks5://127.0.0.1:1"})


@pytest.mark.parametrize(
    "bad", ["*", "*.", "a b/c", "http://x.com", "x.com:80", "*.*.com", "-x.com"]
)
def test_domain_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(BadInputError, match="CW_ALLOWED_DOMAINS"):
        load_settings({"CW_ALLOWED_DOMAINS": bad})


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "fe80::1%eth0",
        "fec0::5",
        "ff0e::1",
        "4000::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::a00:1",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:808:808:0:0:5601:5601",
    ],
)
def test_address_that_leads_into_a_private_network_is_seen_in_any_clothes(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_address_of_the_world_stays_open_in_any_clothes(address: str) -> None:
    assert is_public(address)


def test_name_that_points_through_a_gateway_into_this_network_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("64:ff9b::a9fe:a9fe", 80, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(RefusedError, match="private network"):
        rules(reach(Settings(), {})).connect("rebound.example.com", 80)
