"""Processes told from later ones with the same number, and signals that hit only ours."""

from __future__ import annotations

import os
import signal

import psutil

from cw.models import Model
from cw.processid import boot_id, start_time


class ProcessMark(Model):
    """A process as it is written down. `start` counts from boot: no clock moves it."""

    pid: int
    start: str
    boot: str = ""


def mark(pid: int) -> ProcessMark | None:
    """The living process with that number; None when there is none or it waits to be reaped."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        start = start_time(pid) or repr(process.create_time())
    except (psutil.Error, ValueError):
        return None
    return ProcessMark(pid=pid, start=start, boot=boot_id())


def alive(process: ProcessMark) -> bool:
    """Whether this very process lives."""
    return mark(process.pid) == process


def ours(process: ProcessMark) -> bool:
    """Alive and run by this user: the only processes a signal may go to."""
    try:
        return alive(process) and psutil.Process(process.pid).uids().real == os.getuid()
    except psutil.Error:
        return False


def terminate(process: ProcessMark) -> None:
    if ours(process):
        _send(process.pid, signal.SIGTERM)


def kill(process: ProcessMark) -> None:
    """Kill it, and what it started in a process group it leads; shims have groups of their own."""
    if not ours(process):
        return
    try:
        leads = os.getpgid(process.pid) == process.pid
    except ProcessLookupError:
        return
    _send(-process.pid if leads else process.pid, signal.SIGKILL)


def _send(target: int, number: int) -> None:
    try:
        os.kill(target, number)
    except (ProcessLookupError, PermissionError):
        return  # ended in between
