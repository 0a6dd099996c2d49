"""services.json: what `cw up` runs, for `cw down` and for the `cw up` after a crash."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from cw.homes.files import read_json, write_private
from cw.models import Model
from cw.services.processes import ProcessMark
from cw.services.restart_policy import ServiceState
from cw.settings import Settings


class ServiceRecord(Model):
    name: str
    process: ProcessMark | None = None
    ready: bool = False
    failures: int = 0
    grace: float  # seconds between terminate and kill
    last: bool = False  # stopped after the others, which need it


class UpRecord(Model):
    supervisor: ProcessMark
    services: tuple[ServiceRecord, ...] = ()

    def seen(self) -> list[ServiceState]:
        return [
            ServiceState(service.name, service.ready, service.failures) for service in self.services
        ]


def record_file(settings: Settings) -> Path:
    return settings.state_dir / "services.json"


def write(settings: Settings, record: UpRecord) -> None:
    data = json.dumps(record.model_dump(mode="json"), indent=2) + "\n"
    write_private(record_file(settings), data.encode())


def read(settings: Settings) -> UpRecord | None:
    """None when nothing runs, or the file cannot be used."""
    try:
        return UpRecord.model_validate(read_json(record_file(settings)))
    except ValidationError:
        return None


def forget(settings: Settings) -> None:
    record_file(settings).unlink(missing_ok=True)
