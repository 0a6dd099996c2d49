"""The processes below an agent: what memory they take, and how they end.

Standard library only: the shim of each run uses it.
"""

import os
import signal
import time


def takes_more(top: int, kib: int) -> bool:
    """Whether a tree has more memory than that. The cheap sum counts what processes share several
    times; only when it is too large the exact one is asked. Linux; elsewhere never.
    """
    tree = [top, *descendants(top)]
    if sum(_memory_kib(pid, "status", b"VmRSS:") for pid in tree) <= kib:
        return False
    exact = (_memory_kib(pid, "smaps_rollup", b"Pss:") for pid in tree)
    return sum(exact) > kib


def _memory_kib(pid: int, name: str, word: bytes) -> int:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith(word))
    except OSError:
        return 0  # gone


def signal_agent(top: int, number: int) -> None:
    """To the agent itself, not to the bubblewrap around it; a kill goes to the whole tree."""
    tree = descendants(top)
    targets = [top, *tree] if number == signal.SIGKILL else [_agent(top, tree)]
    for pid in targets:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _agent(top: int, tree: list[int]) -> int:
    for pid in [top, *tree]:
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) != "bwrap":
                return pid
        except OSError:
            continue
    return top


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, nearest first. Linux; elsewhere none are found."""
    found = []
    queue = [pid]
    while queue:
        parent = queue.pop(0)
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    children = [int(child) for child in file.read().split()]
            except OSError:
                continue
            found += children
            queue += children
    return found


def sweep() -> None:
    """Kill what outlived the agent; as subreaper we inherit even what daemonised itself."""
    for _ in range(100):
        left = descendants(os.getpid())
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap(0)
        time.sleep(0.02)


def reap(agent: int) -> None:
    """Collect orphans that became our children; the agent itself is Popen's to collect."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid == agent:
            return
        os.waitpid(ended.si_pid, 0)
