"""What a run's processes may not have, set before the first of them begins.

Standard library only: the shim of each run uses it.
"""

import resource
from contextlib import suppress

_DESCRIPTORS = 16384  # of one process; build tools open thousands
_OOM_SCORE = "500"  # of -1000 to 1000: the kernel ends agents before hosts and brokers
_SHELL_LIMITS = 'ulimit -p "$0" 2>/dev/null || ulimit -u "$0" 2>/dev/null; exec "$@"'


def confine(cgroup: str) -> None:
    """The process that calls it, and all it starts. `cgroup`: a folder to enter, or nothing."""
    _lower(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _lower(resource.RLIMIT_CORE, 0)
    with suppress(OSError):
        _write("/proc/self/oom_score_adj", _OOM_SCORE)
    if cgroup:
        with suppress(OSError):
            _write(f"{cgroup}/cgroup.procs", "0")


def few_processes(argv: list[str], most: int) -> list[str]:
    """`argv` with that many processes and threads at most, to be started inside a user namespace of
    its own: there the kernel (since 5.14) counts those of that namespace alone, so that neither the
    host nor another run of the same user is hit. Real root is exempt from it.
    """
    # dash calls the limit -p, bash -u; of bash -p cannot be set and fails.
    return ["/bin/sh", "-c", _SHELL_LIMITS, str(most), *argv] if most else argv


def refused(cgroup: str) -> int:
    """How often the kernel refused the group another process."""
    try:
        with open(f"{cgroup}/pids.events", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("max "))
    except (OSError, ValueError):
        return 0


def _lower(which: int, most: int) -> None:
    soft, hard = (
        most if limit == resource.RLIM_INFINITY else min(limit, most)
        for limit in resource.getrlimit(which)
    )
    resource.setrlimit(which, (soft, hard))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
