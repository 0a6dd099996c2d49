"""A broker on the network: TLS only, with the users of deploy/redis/users.acl."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import redis

from cw.services.acl import OPERATOR, password_word, users_acl
from tests.integration.hosting import Machine, stop_runs
from tests.making import give_key
from tests.needs import need
from tests.servers import broker_program, speaks_tls, tls_in_front
from tests.waiting import wait_until


@dataclass
class Networked(Machine):
    """`port`: where the server speaks TLS; there is no other way to it."""

    port: int = 0

    def address(self, user: str) -> str:
        return f"rediss://{user}:{password_word(user)}@127.0.0.1:{self.port}/0"

    @property
    def url(self) -> str:
        return f"{self.address('host')}?ssl_ca_certs={self.folder / 'ca.pem'}"

    def client(self, user: str) -> redis.Redis:
        return redis.Redis.from_url(self.address(user), ssl_ca_certs=str(self.folder / "ca.pem"))

    def env(self) -> dict[str, str]:
        ca = str(self.folder / "ca.pem")
        mine = {"CW_BROKER_URL": self.address("host"), "CW_BROKER_CA": ca}
        more = {"CW_SWEEP_EVERY": "1", "CW_FLOWER_PORT": str(free_port())}
        return super().env() | mine | more

    def cw(self, *args: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cw", *args],
            env=self.env() | {"CW_BROKER_URL": self.address("dispatcher")} | more,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr}{self.denied()}{self.log()}"
        return done.stdout

    def service(self, module: str, user: str) -> subprocess.Popen[bytes]:
        with (self.folder / "host.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", module],
                env=self.env() | {"CW_BROKER_URL": self.address(user)},
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self.hosts.append(child)
        return child

    def denied(self) -> list[str]:
        """What anybody tried and was not allowed since the last look."""
        with self.client(OPERATOR) as client:
            rows = client.acl_log()
            client.acl_log_reset()
        return [f"{one['username']}: {one['context']} {one['object']}" for one in rows]


def certificates(folder: Path) -> None:
    """A certificate of our own for 127.0.0.1; it is its own authority."""
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=cw"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    subprocess.run(
        [need("openssl"), *command.split(), *files, "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def networked_machine(repo: Path) -> Iterator[Networked]:
    """Its keys and its passwords, and a worker 01; no host runs yet."""
    folder = Path(tempfile.mkdtemp(prefix="cwn-"))
    certificates(folder)
    (folder / "users.acl").write_text(users_acl(), "ascii")
    port = free_port()
    server, front = _serve(folder, port)
    give_key(folder)
    here = Networked(folder, repo, server, port=port)
    try:
        with front:
            wait_until(lambda: _answers(here), what="redis-server")
            here.add_worker()
            yield here
    finally:
        for host in here.hosts:
            host.kill()
            host.wait()
        stop_runs(folder)
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _serve(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], AbstractContextManager[None]]:
    """The server, and what has to stand in front of it."""
    program = broker_program()
    files = {"aclfile": "users.acl"}
    front: AbstractContextManager[None] = nullcontext()
    options = f"--port 0 --bind 127.0.0.1 --dir {folder}"
    if speaks_tls(program):
        options += f" --tls-port {port} --tls-auth-clients no"
        files |= {"tls-cert-file": "ca.pem", "tls-key-file": "key.pem"}
    else:
        options += f" --unixsocket {folder}/broker"
        front = tls_in_front(port, folder, folder / "broker")
    given = [part for name, file in files.items() for part in (f"--{name}", str(folder / file))]
    command = [program, *options.split(), "--save", "", *given]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL), front


def _answers(here: Networked) -> bool:
    try:
        with here.client(OPERATOR) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
