"""What root starts to become somebody else before an agent's wall: then the kernel, too, takes what
is behind it for an ordinary user's.

Started by root as `python -I -S become.py UID:GID [KIND PATH]... -- PROGRAM [ARGUMENT]...`. The
pairs make a view of the machine (`stepdown` says which), in this order: `empty` puts an empty
folder over another, `folder` makes one in it, `shown` is there again. Then it becomes PROGRAM, in
the same process: a parent that is root without capabilities may not end what is another's, so a
bubblewrap in between would leave it behind when its shim is killed (Linux 6.18).
Standard library only, and little of it. `main` is what a fork server does for each git command.
"""

import ctypes
import os
import resource
import sys

if __name__ == "__main__":  # isolated: what lies beside it is not found
    sys.path.append(__file__.rsplit("/", 3)[0])

from workerhost.walls.keyring import new_session_keyring

_NEW_MOUNTS = 0x20000
_BIND, _REC, _SLAVE = 0x1000, 0x4000, 0x80000
_NOSUID_NODEV = 0x2 | 0x4
_SET_PDEATHSIG, _CAPBSET_DROP, _NO_NEW_PRIVS = 1, 24, 38
_KILL = 9
_CAPABILITIES = 0x20080522  # version 3 of the header
_LIBC = ctypes.CDLL(None, use_errno=True)


def main(words: list[str], env: dict[bytes, bytes]) -> int:
    """`words`: of its command line, without its own name. Returns when nothing was started."""
    end = words.index("--")
    uid, gid = map(int, words[0].split(":"))
    pairs, argv = words[1:end], words[end + 1 :]
    parent = os.getppid()
    try:
        if pairs:
            _look(list(zip(pairs[::2], pairs[1::2], strict=True)))
        _be_ordinary()
        _become(uid, gid)
        new_session_keyring()
        _prctl(_SET_PDEATHSIG, _KILL)  # forgotten when a process changes its user
        if os.getppid() != parent:  # it died meanwhile: no signal comes
            return 1
        _start(argv, env)
    except OSError as error:
        sys.stderr.write(f"cw: {argv[0]} does not start: {error}\n")
    return 127


def _start(argv: list[str], env: dict[bytes, bytes]) -> None:
    """As `os.execvp`, which loads more, from where we may not read now. Raises OSError."""
    path = os.fsdecode(env.get(b"PATH", os.defpath.encode()))
    folders = [""] if "/" in argv[0] else path.split(os.pathsep)
    missing: OSError = FileNotFoundError(2, "No such file or directory")
    for folder in folders:
        try:
            os.execve(os.path.join(folder, argv[0]), argv, env)  # noqa: PTH118, S606
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            missing = error
    raise missing


def _environment() -> dict[bytes, bytes]:
    """As it was given: Python adds LC_CTYPE to one without a language."""
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123
        lines = file.read().split(b"\0")
    return dict(line.split(b"=", 1) for line in lines if b"=" in line)


def _look(opened: list[tuple[str, str]]) -> None:
    """A view of our own. What is shown again is held open before something covers it."""
    at = os.getcwd()  # noqa: PTH109  pathlib takes longer to load than all of this
    _call("unshare", _NEW_MOUNTS)
    _mount(b"none", "/", None, _REC | _SLAVE)
    held = {path: os.open(path, os.O_PATH) for kind, path in opened if kind == "shown"}
    usual = os.umask(0o022)
    for kind, path in opened:
        if kind == "empty":
            _mount(b"tmpfs", path, b"tmpfs", _NOSUID_NODEV, b"mode=0755")
        elif kind == "folder":
            _place(path, folder=True)
        else:
            source = f"/proc/self/fd/{held[path]}"
            _place(path, folder=os.path.isdir(source))  # noqa: PTH112
            _mount(source.encode(), path, None, _BIND | _REC)
            os.close(held[path])
    os.umask(usual)
    try:
        os.chdir(at)  # as it is called: it may have been covered
    except OSError:
        os.chdir("/")


def _place(path: str, *, folder: bool) -> None:
    """Something that can be mounted on."""
    try:
        if folder:
            os.mkdir(path, 0o755)  # noqa: PTH102
        else:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return


def _be_ordinary() -> None:
    """What root may have, and leaves to whatever it starts."""
    if os.getpriority(os.PRIO_PROCESS, 0) < 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    for which in (resource.RLIMIT_NICE, resource.RLIMIT_RTPRIO):
        resource.setrlimit(which, (0, 0))
    with open("/proc/self/oom_score_adj", "r+") as file:  # noqa: PTH123
        if int(file.read()) < 0:
            file.seek(0)
            file.write("0")


def _become(uid: int, gid: int) -> None:
    """For good: nothing that is started from here gets more again."""
    for number in range(64):
        if _LIBC.prctl(_CAPBSET_DROP, number, 0, 0, 0):
            break  # the kernel has no more of them
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _prctl(_NO_NEW_PRIVS, 1)


def _mount(source: bytes, target: str, kind: bytes | None, flags: int, more: bytes = b"") -> None:
    _call("mount", source, os.fsencode(target), kind, ctypes.c_ulong(flags), more or None)


def _prctl(option: int, value: int) -> None:
    _call("prctl", option, value, 0, 0, 0)


def _call(name: str, *args: object) -> None:
    if getattr(_LIBC, name)(*args):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _environment()))
