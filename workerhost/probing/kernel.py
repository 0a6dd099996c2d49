"""What the kernel itself would let a process behind the walls do, which is no file of anybody's:
its switches, and what was inherited. Behind a wall that holds nothing of it is open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cw.homes.layout import Home
from workerhost.probing.inherited import Inherited

_NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts")
_MADE = ".cw-probe-user"
_ROOTS = ".cw-probe-root"

# Which of them a process behind the wall owns: those of its own namespaces of IPC, processes, name
# and network (16 without the last on Linux 6.18).
_OF_NAMESPACES = (
    "/proc/sys/(net/.*|user/.*|fs/mqueue/.*|kernel/(auto_msgmni|msg[a-z_]*|sem|sem_next_id"
    "|shm[a-z_]*|ns_last_pid|pid_max|hostname|domainname))"
)
# World-writable: whoever asks is told of pressure.
_OF_ALL = "/proc/pressure/[a-z]*"
_FEW = (
    "/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/sysrq"
    " /proc/sys/vm/swappiness /proc/sys/fs/protected_hardlinks /proc/sysrq-trigger"
)

# $1 the canaries' word, $2 a process outside, $3 a key of System V's; then the host's namespaces.
SCRIPT = rf"""
reached() {{ echo "reached $1"; }}
word=$1 victim=$2 shm=$3
shift 3
for ns; do
  kind=${{ns%%:*}}
  [ "$(readlink /proc/self/ns/"$kind")" != "$ns" ] || reached "the host's $kind namespace"
done
grep -qs "$word" /proc/keys && reached "the host's session keyring"
grep -qsE "^ *$shm " /proc/sysvipc/shm && reached "the machine's System V IPC"
[ ! -e "/dev/shm/$word" ] || reached "the machine's shared memory"
for fd in /proc/$$/fd/*; do
  case $(readlink "$fd") in *"$word"*) reached "a descriptor of the host's" ;; esac
done
kill -URG "$victim" 2>/dev/null
(: </dev/tty) 2>/dev/null && reached "the host's terminal"
[ ! -r ~/tmp/{_ROOTS} ] || reached "what only root may read"
[ ! -w ~/tmp/{_ROOTS} ] || reached "what only root may write"
(echo -1000 >/proc/self/oom_score_adj) 2>/dev/null && reached "what keeps it in memory"
[ "$(nice -n -1 nice)" -ge "$(nice)" ] || reached "the others' share of the processor"
switches() {{
  if find / -maxdepth 0 -writable >/dev/null 2>&1; then
    find /proc -path '/proc/[0-9]*' -prune -o -type f \
      \( -writable -o -readable ! -perm -004 \) -print 2>/dev/null
    [ ! -d /sys ] || find /sys -type f -writable 2>/dev/null
  else
    for one in {_FEW}; do [ ! -w "$one" ] || echo "$one"; done
  fi
}}
for one in $(switches | grep -vxE '{_OF_NAMESPACES}|{_OF_ALL}' | head -n 3); do reached "$one"; done
(: >~/tmp/{_MADE}) && echo held
"""


def arguments(placed: Inherited, namespaces: Iterable[str] = _NAMESPACES) -> list[str]:
    own = [str(Path(f"/proc/self/ns/{namespace}").readlink()) for namespace in namespaces]
    return [placed.word, str(placed.victim.pid), str(placed.shm), *own]


def place_roots(home: Home) -> None:
    """What only root may touch, where agents may go."""
    path = home.tmp / _ROOTS
    path.touch(mode=0o600)
    if os.geteuid() == 0:
        path.chmod(0o660)
    else:
        path.unlink()


def whose(home: Home) -> str:
    """Whether the script was root to the kernel, as its file shows from outside, where no number
    is another one. Empty when it was not; what was placed is gone then.
    """
    made = home.tmp / _MADE
    try:
        seen = made.lstat()
        root = seen.st_uid == 0 or seen.st_gid == 0
        made.unlink()
    except FileNotFoundError:
        return ""
    finally:
        Path(home.tmp / _ROOTS).unlink(missing_ok=True)
    return "the kernel's number of root" if root else ""
