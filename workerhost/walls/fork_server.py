"""A fork server: starts what a host runs many times a minute, programs of ours in Python without
the time that Python takes to load.

Started as `python -I -S fork_server.py`, with a socket (SOCK_SEQPACKET) as standard input. Each
message there is one byte, `p` when it is about a proxy, with five descriptors: a socket, a pipe,
and what becomes standard input, output and error. From the pipe a fork of this process reads what
it is to be (`Order`); this process itself never does, so that what one was given is in no other
one's memory. On the socket it says in two messages (`REPLY`) the pid, and the status of its end as
`os.waitstatus_to_exitcode` has it. The pid is nobody else's until the socket's other end is closed;
what still lives then is killed, and so is everything when nobody can give orders any more.

Standard library only, and little of it. Ends by itself when nothing was ordered for a minute.
"""

import ctypes
import gc
import os
import resource
import selectors
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import NamedTuple, NoReturn

if __name__ == "__main__":  # isolated: what lies beside it is not found
    sys.path.append(__file__.rsplit("/", 3)[0])

from workerhost.walls import become
from workerhost.walls.keyring import new_session_keyring

ORDERS = 0  # its standard input
PROXY, OTHER = b"p", b"o"
REPLY = struct.Struct("!i")
_NOT_STARTED = 127
_IDLE_SECONDS = 60.0
_HEAD = struct.Struct("!iqi")  # umask, data bytes, words of argv
_DESCRIPTORS = 5
_PR_SET_PDEATHSIG = 1
# Its end is that of its host, which may have work to see through when these come for both.
_DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, *_DEAF_TO)  # else ignored by what it starts as well


class Order(NamedTuple):
    """`umask`: negative to leave it. `data_bytes`: of private writable memory (RLIMIT_DATA, which
    counts not the packs and indexes that git maps for reading, as RLIMIT_AS would; Linux 4.7 and
    later); 0 for no limit.
    """

    argv: list[bytes]
    env: dict[bytes, bytes]
    cwd: bytes
    umask: int = -1
    data_bytes: int = 0

    def packed(self) -> bytes:
        pairs = [b"%s=%s" % pair for pair in self.env.items()]
        head = _HEAD.pack(self.umask, self.data_bytes, len(self.argv))
        return head + b"\0".join([self.cwd, *self.argv, *pairs])


def unpacked(said: bytes) -> Order:
    umask, data_bytes, words = _HEAD.unpack_from(said)
    cwd, *rest = said[_HEAD.size :].split(b"\0")
    env = dict(one.split(b"=", 1) for one in rest[words:])
    return Order(rest[:words], env, cwd, umask, data_bytes)


class Server:
    """One thread, so that a fork is whole."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._live: dict[int, socket.socket] = {}
        self._ended: dict[int, socket.socket] = {}
        self._forgotten: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(orders, selectors.EVENT_READ)
        woken, wakes = socket.socketpair()
        for one in (woken, wakes):
            one.setblocking(False)
        self._woken, self._wakes = woken, wakes
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ)

    def serve(self) -> None:
        while True:
            ready = self._selector.select(_IDLE_SECONDS)
            if not (ready or self._live or self._ended or self._forgotten):
                return
            for key, _ in ready:
                if key.fileobj is self._woken:
                    self._collect()
                elif key.fileobj is not self._orders:
                    self._let_go(int(key.data))
                elif not self._take():
                    return

    def _take(self) -> bool:
        """False: whoever gave orders is gone."""
        kind, given, _, _ = socket.recv_fds(self._orders, 1, _DESCRIPTORS)
        if not kind:
            return False
        if len(given) < _DESCRIPTORS:  # there is no room for more of them
            for one in given:
                os.close(one)
            return True
        if kind == PROXY:
            import workerhost.walls.proxy  # noqa: F401  once, for all of them
        connection = socket.socket(fileno=given[0])
        here = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            pid = -(error.errno or 1)
        if pid == 0:
            _be_the_child(given[1:], here)
        for one in given[1:]:
            os.close(one)
        with suppress(OSError):
            connection.send(REPLY.pack(pid))
        if pid < 0:
            connection.close()
            return True
        self._live[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, pid)
        return True

    def _collect(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass
        for pid, connection in list(self._live.items()):
            found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found:
                exited = found.si_code == os.CLD_EXITED
                with suppress(OSError):
                    connection.send(REPLY.pack(found.si_status if exited else -found.si_status))
                self._ended[pid] = self._live.pop(pid)
        # Killed, and perhaps not dead yet.
        self._forgotten -= {pid for pid in self._forgotten if os.waitpid(pid, os.WNOHANG)[0]}

    def _let_go(self, pid: int) -> None:
        connection = self._live.pop(pid, None)
        if connection:
            for kill in (os.killpg, os.kill):  # it may not have come to a group of its own
                with suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)
        connection = connection or self._ended.pop(pid)
        self._selector.unregister(connection)
        connection.close()
        self._forgotten.add(pid)
        self._collect()


def _be_the_child(given: list[int], parent: int) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        order, *files = given
        for number, file in enumerate(files):
            os.dup2(file, number)
        with open(order, "rb") as pipe:  # noqa: PTH123
            said = pipe.read()
        os._exit(_carry_out(unpacked(said), parent))
    except BaseException as error:  # noqa: BLE001  no frame of the server's may go on
        with suppress(OSError):
            os.write(2, f"cw: nothing was started: {error}\n".encode())
    os._exit(_NOT_STARTED)


def _carry_out(order: Order, parent: int) -> int:
    """Returns only when a program of ours has come to its end, or nothing was started. Raises
    OSError.
    """
    os.setsid()  # no terminal of the host's, and a group that can be ended whole
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    _bound(order)
    new_session_keyring()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died meanwhile: no signal comes
        return 1
    os.chdir(order.cwd)
    own = _own(order.argv)
    if own == "become":
        return become.main([os.fsdecode(one) for one in order.argv[4:]], order.env)
    if own == "proxy":
        from workerhost.walls import proxy  # loaded already

        gc.enable()
        proxy.main({os.fsdecode(name): os.fsdecode(it) for name, it in order.env.items()}, parent)
        return 0
    return os.execvpe(order.argv[0], order.argv, order.env)  # noqa: S606


def _own(argv: list[bytes]) -> str:
    """Which of our programs Python would be started for; empty: none."""
    if argv[:3] != [os.fsencode(sys.executable), b"-I", b"-S"]:
        return ""
    folder, _, name = os.fsdecode(argv[3]).rpartition("/")
    ours = folder == __file__.rpartition("/")[0]
    return name.removesuffix(".py") if ours else ""


def _bound(order: Order) -> None:
    """The kernel takes such a process before the host. What it refuses has no limit."""
    for number in _RESTORED:
        signal.signal(number, signal.SIG_DFL)
    if order.umask >= 0:
        os.umask(order.umask)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if order.data_bytes:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (order.data_bytes, order.data_bytes))


def main() -> None:
    orders = socket.socket(fileno=ORDERS)
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # what is never collected is never copied for it
    gc.freeze()
    Server(orders).serve()


if __name__ == "__main__":
    main()
