"""The stand-in as a test holds it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.standins.authority import Authority

from .client_env import GH_HOST, WEB_URL, client_env
from .faults import Fault, Faults
from .follow_up import FollowUp
from .limits import Limits, secondary_limit
from .server import Server
from .service import Service
from .state import State, utc_now
from .traffic import Traffic
from .tunnels import Trouble, Tunnels

_NAMES = (GH_HOST, f"api.{GH_HOST}")


class GitHubStandIn(FollowUp):
    """Serves from the start of the `with` block to its end; set up before or meanwhile."""

    def __init__(
        self,
        root: Path,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = utc_now,
        web_url: str = WEB_URL,
        https: bool = False,
    ) -> None:
        """With `https` git and API are at `web_url` over TLS as well, for whoever asks this server
        for a tunnel and trusts `authority`.
        """
        root.mkdir(parents=True, exist_ok=True)
        web_url = web_url.replace("http:", "https:") if https else web_url
        super().__init__(State(root, web_url, clock))
        self.authority = Authority.make(root / "authority") if https else None
        self._tunnels = Tunnels(self.authority, _NAMES) if self.authority else None
        self.limits = Limits(clock)
        self.requests = Traffic()
        self._leaks: list[str] = []
        self._faults = Faults()
        self._service = Service(self.state, self.limits, self._faults, self.requests)
        self._server = Server(address, port, self._service, self._leaks.append, self._tunnels)
        # Another host than the API's, as anybody sees who is given a link there.
        self._logs = Server("127.0.0.2", 0, self._service, self._leaks.append)

    def __enter__(self) -> Self:
        self._server.start()
        self._logs.start()
        self.state.logs_url = self._logs.url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._service.stopping.set()
        self._server.stop()
        self._logs.stop()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def api_url(self) -> str:
        return f"{self.state.web_url if self.authority else self.url}/api/v3"

    @property
    def base_url(self) -> str:
        """What git's URLs begin with; with https it leads here by way of a proxy only."""
        return self.state.web_url if self.authority else self.url

    def way(self) -> dict[str, str]:
        """What a host's environment needs to get there: nothing over http."""
        return {"https_proxy": self.url, **self.trust()} if self.authority else {}

    def trust(self) -> dict[str, str]:
        """What an environment needs for https, beside the proxy."""
        return self.authority.trust() if self.authority else {}

    def trouble(self, kind: Trouble, times: int | None = 1) -> None:
        """Order trouble for the next tunnels; for ever with None."""
        if self._tunnels is None:
            raise ValueError("this stand-in has no https")
        self._tunnels.order(kind, times)

    @property
    def leaks(self) -> list[str]:
        """What somebody wanted a tunnel to."""
        return list(self._leaks)

    def clone_url(self, repo: str) -> str:
        """For git inside `env()`; `url` + /owner/repo.git works without."""
        return f"{self.state.web_url}/{repo}.git"

    def env(self, token: str, config_dir: Path) -> dict[str, str]:
        return client_env(self.url, token, config_dir)

    def fault(
        self,
        *,
        method: str | None = None,
        path_regex: str = "",
        operation: str | None = None,
        status: int = 502,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
        every: int = 1,
        after_effect: bool = False,
        drop: bool = False,
        delay: float = 0.0,
    ) -> Fault:
        """Order trouble for the next requests that fit; paths are without /api/v3.

        A delay in seconds alone, with status 0, only holds the answer back.
        """
        return self._faults.add(
            Fault(
                method=method,
                path_regex=path_regex,
                operation=operation,
                status=status,
                body=body,
                headers=dict(headers or {}),
                times=times,
                every=every,
                after_effect=after_effect,
                drop=drop,
                delay=delay,
            )
        )

    def clear_faults(self) -> None:
        self._faults.clear()
        if self._tunnels:
            self._tunnels.clear()

    def secondary_limit(
        self,
        *,
        retry_after: int | None = None,
        times: int | None = 1,
        method: str | None = None,
        path_regex: str = "",
    ) -> Fault:
        """403 as GitHub answers callers in too much of a hurry."""
        answer = secondary_limit(retry_after).reply()
        return self.fault(
            method=method,
            path_regex=path_regex,
            status=answer.status,
            body=answer.body,
            headers=answer.headers,
            times=times,
        )

    def set_rate_limit(
        self,
        login: str,
        *,
        resource: str = "core",
        remaining: int | None = None,
        limit: int | None = None,
        reset_at: datetime | None = None,
    ) -> None:
        """Resources: core, graphql, search."""
        self.limits.set(login, resource, remaining=remaining, limit=limit, reset_at=reset_at)

    @property
    def search_lag(self) -> timedelta:
        """How far the search index is behind; lists are never behind."""
        return self.state.search_lag

    @search_lag.setter
    def search_lag(self, lag: timedelta) -> None:
        self.state.search_lag = lag
