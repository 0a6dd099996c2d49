"""A Redis that speaks TLS only and knows the users of deploy/redis/users.acl."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.hosts.net import Net

ACL = Path(__file__).parents[2] / "deploy" / "redis" / "users.acl"
PORT = 6390
_CERTIFY = (
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=rehearsal-ca -keyout ca.key -out ca.crt",
    "req -newkey rsa:2048 -nodes -subj /CN=rehearsal -keyout server.key -out server.csr",
    "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -days 2 -extfile names -out server.crt",
)


@dataclass
class Broker:
    """On the hub."""

    folder: Path
    net: Net
    passwords: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def url(self, machine: str, user: str) -> str:
        return f"rediss://{user}:{self.passwords[user]}@{self.net.hub_address(machine)}:{PORT}/0"

    def start(self) -> None:
        self._certify()
        users = re.sub(r">([A-Z]+)_PASSWORD", self._password, ACL.read_text("utf-8"))
        (self.folder / "users.acl").write_text(users)
        options = {
            "port": "0",
            "tls-port": str(PORT),
            "tls-cert-file": str(self.folder / "server.crt"),
            "tls-key-file": str(self.folder / "server.key"),
            "tls-ca-cert-file": str(self.ca),
            "tls-auth-clients": "no",
            "aclfile": str(self.folder / "users.acl"),
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [*self.net.enter(self.net.hub), shutil.which("redis-server") or "redis-server", *words],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "redis.log").open("wb"),
        )

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def _password(self, found: re.Match[str]) -> str:
        password = self.passwords.setdefault(found.group(1).lower(), secrets.token_urlsafe(12))
        return f">{password}"

    def _certify(self) -> None:
        names = ["IP:127.0.0.1", *(f"IP:{self.net.hub_address(one)}" for one in self.net.others)]
        (self.folder / "names").write_text(f"subjectAltName={','.join(names)}\n")
        for words in _CERTIFY:
            subprocess.run(
                ["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True
            )
