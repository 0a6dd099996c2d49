"""Flower as `cw up` runs it, beside real hosts, and a person's browser without the pictures."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.parse import urlencode, urlsplit

from cw.services.catalog import flower_password_file, flower_ready, flower_url_file
from cw.services.flower.login import USER
from tests.integration.hosting import Machine
from tests.integration.networked import free_port
from tests.mutants import flower_module
from tests.waiting import wait_until


@dataclass
class Browser:
    """`password` empty: not logged in."""

    port: int
    password: str

    def ask(
        self, method: str, path: str, site: str = "same-origin", **fields: str
    ) -> tuple[int, str]:
        """`site`: what a browser says about the page whose script asks."""
        status, text, _ = self.heard(method, path, site, **fields)
        return status, text

    def heard(
        self, method: str, path: str, site: str = "same-origin", **fields: str
    ) -> tuple[int, str, HTTPMessage]:
        """With the headers of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        coded = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {coded}"} if self.password else {}
        headers["Sec-Fetch-Site"] = site
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(fields), headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text, answer.headers

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The table of the tasks page, by id."""
        status, text = self.ask("GET", "/tasks/datatable?" + urlencode(_TABLE))
        assert status == 200, text
        return {one["uuid"]: one for one in json.loads(text)["data"]}

    def states(self) -> dict[str, str]:
        return {task_id: one["state"] for task_id, one in self.tasks().items()}

    def metrics(self) -> dict[str, float]:
        status, text = self.ask("GET", "/metrics")
        assert status == 200, text
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        pairs = (line.rpartition(" ") for line in lines)
        return {name: float(value) for name, _, value in pairs}


_TABLE = {
    "draw": "1",
    "start": "0",
    "length": "100",
    "search[value]": "",
    "order[0][column]": "0",
    "order[0][dir]": "desc",
    "columns[0][data]": "received",
}


@contextmanager
def flower(here: Machine) -> Iterator[Browser]:
    settings = here.settings()
    flower_url_file(settings).unlink(missing_ok=True)
    with (here.folder / "flower.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", flower_module()],
            env=here.env() | {"CW_FLOWER_PORT": str(free_port())},
            cwd=here.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: flower_ready(settings), 30, (here.folder / "flower.log").read_text)
        port = urlsplit(flower_url_file(settings).read_text()).port or 0
        yield Browser(port, flower_password_file(settings).read_text())
    finally:
        process.terminate()
        process.wait(20)
