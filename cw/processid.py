"""Which process this is, told from later ones with the same number. Standard library only: shims
load it, and a host has one of them per busy worker.
"""


def start_time(pid: int) -> str:
    """Ticks since boot at which a process started; empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == b"Z" else fields[19].decode()


def boot_id() -> str:
    """Another one after each start of the machine; empty where the kernel has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""
