"""What is stored of the fleet: workers, hosts and what went wrong in them."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import TypeAdapter

from cw.models import MaybeMoment, MaybeText, Model

SILENT_AFTER = timedelta(seconds=45)  # a host beats several times in this
HOST = "host"  # who paused a worker, when no person did


class Worker(Model):
    id: str
    host: str = ""
    home: str = ""
    task: MaybeText = None  # the one it runs, or is kept for
    paused: str = ""  # why it takes nothing; empty when it does
    paused_by: str = ""  # HOST: its host found what only a person can mend; else a person did
    registered_at: MaybeMoment = None
    account: str = ""  # the id of the one it works on; empty: its host has not said
    account_since: str = ""  # the day on which its credential was made, as a person gave it


class Trouble(Model):
    """What went wrong in a host that nobody foresaw. `about`: whom it harms."""

    loop: str
    about: str = ""
    error: str  # its type
    place: str  # file:line
    times: int
    first_at: datetime
    last_at: datetime


class Host(Model):
    name: str
    pid: int = 0
    version: str = ""
    claude: str = ""
    isolation: str = ""
    access: str = ""  # who has GitHub tokens: agent or host; and which App they are of
    workers: int = 0
    protocol: int = 0
    machine: str = ""  # made once beside its HOMEs; the name may change, this does not
    tags: str = ""  # separated by spaces
    load: float = 0.0  # mean of a minute
    cores: int = 0
    memory_mb: int = 0  # available
    disk_mb: int = 0  # free below its HOMEs
    clock_ms: int = 0  # its clock minus the broker's
    seen_at: MaybeMoment = None  # None: it left on purpose
    rival_at: MaybeMoment = None  # when another machine last said that it has this name
    warning: str = ""
    unfit: str = ""  # why it takes nothing; empty when it does
    troubles: str = ""  # JSON of those of the last hour
    late: str = ""  # GitHub writes and notices that wait, and why; empty when none does

    def trouble_list(self) -> list[Trouble]:
        """What a stranger, or another cw, has put there is none."""
        try:
            return _TROUBLES.validate_json(self.troubles) if self.troubles else []
        except ValueError:
            return []

    def up(self, now: datetime) -> bool:
        return self.seen_at is not None and now - self.seen_at <= SILENT_AFTER


_TROUBLES = TypeAdapter(list[Trouble])
