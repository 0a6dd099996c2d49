"""git and the API over https by way of a proxy's tunnels, as they are in real life."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.errors import CwError
from cw.settings import Settings
from tests.integration.cloning import Worker
from tests.integration.test_proxy import ask, server
from tests.needs import require
from tests.standins.github import GitHubStandIn
from tests.standins.github.tunnels import TROUBLES, Trouble
from tests.walls import WALLS
from workerhost.clones.preparing import prepare
from workerhost.walls.network_access import opened, reach
from workerhost.walls.proxy_errors import Seen, notes


def test_host_clones_and_fetches_behind_the_wall(any_hub: GitHubStandIn, tmp_path: Path) -> None:
    require(WALLS, "bubblewrap and socat that work")
    worker = Worker.make(tmp_path, any_hub)
    spec = worker.spec()

    for _ in range(2):
        place = prepare(worker.git(spec), spec, resume=False)

    assert (place.clone / "README.md").exists()
    assert any_hub.requests.matching("POST", "/git-upload-pack$")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_of_a_tunnel_reaches_the_host_once(tmp_path: Path, trouble: Trouble) -> None:
    with GitHubStandIn(tmp_path / "hub", https=True) as hub:
        hub.add_repo("acme/app", files={"README.md": "# app\n"})
        hub.add_user("bot", "bot-token", {"acme/app": "write"})
        worker = Worker.make(tmp_path, hub)
        spec = worker.spec()
        hub.trouble(trouble)

        with pytest.raises(CwError, match="cannot be fetched"):
            prepare(worker.git(spec), spec, resume=False)

        prepare(worker.git(spec), spec, resume=False)


DIRECT = {"ANTHROPIC_BASE_URL": "http://gone.invalid:1"}


def seen(tmp_path: Path, url: str, request: str) -> tuple[tuple[Seen, ...], bytes]:
    with (
        notes() as kept,
        opened(tmp_path / "d", reach(Settings(), {"ANTHROPIC_BASE_URL": url}), notes=kept) as door,
    ):
        said = ask(door, f"{request} HTTP/1.1\r\n\r\n".encode())
        return kept.read(), said


@pytest.mark.parametrize("request_", ["CONNECT {}", "GET http://{}/"])
def test_proxy_writes_down_what_it_refused(tmp_path: Path, request_: str) -> None:
    found, said = seen(tmp_path, "", request_.format("evil.invalid:443"))

    assert b" 403 " in said
    ((place, what, detail),) = found
    assert (place, what) == ("evil.invalid:443", "refused")
    assert "not among the allowed hosts" in detail


@pytest.mark.parametrize("request_", ["CONNECT {}", "GET http://{}/"])
@pytest.mark.parametrize(
    ("place", "expected"),
    [("gone.invalid:8443", "unresolved"), ("127.0.0.1:9", "unreachable")],
)
def test_proxy_writes_down_whom_it_did_not_reach(
    tmp_path: Path, request_: str, place: str, expected: str
) -> None:
    found, said = seen(tmp_path, f"http://{place}", request_.format(place))

    assert b" 502 " in said
    assert [(one.place, one.what) for one in found] == [(place, expected)]


@pytest.mark.parametrize("status", ["403", "407", "502"])
def test_proxy_writes_down_what_the_proxy_outside_said(tmp_path: Path, status: str) -> None:
    with server(f"HTTP/1.1 {status} No\r\n\r\n".encode()) as (port, _):
        told = reach(Settings(), {"https_proxy": f"http://127.0.0.1:{port}"})
        with notes() as kept, opened(tmp_path / "d", told, notes=kept) as door:
            ask(door, b"CONNECT api.anthropic.com:443 HTTP/1.1\r\n\r\n")
            found = kept.read()

    assert found == (Seen("api.anthropic.com:443", "upstream", status),)


def test_proxy_writes_down_that_there_was_no_answer(tmp_path: Path) -> None:
    with server(b"") as (port, _):
        place = f"127.0.0.1:{port}"
        found, _ = seen(tmp_path, f"http://{place}", f"GET http://{place}/")

    assert [(one.place, one.what) for one in found] == [(place, "broken")]


def test_what_went_well_or_was_no_request_is_not_written_down(tmp_path: Path) -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, _):
        url = f"http://127.0.0.1:{port}"
        assert seen(tmp_path, url, f"GET {url}/")[0] == ()
        assert seen(tmp_path, url, "nonsense")[0] == ()


def test_proxy_writes_down_no_more_than_it_may(tmp_path: Path) -> None:
    with notes() as kept, opened(tmp_path / "d", reach(Settings(), {}), notes=kept) as door:
        for _ in range(400):
            ask(door, f"CONNECT {'x' * 250}.invalid:443 HTTP/1.1\r\n\r\n".encode())

        assert 100 < len(kept.read()) < 400
