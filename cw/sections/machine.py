"""Settings of the machine and of the fleet it belongs to."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from cw import values
from cw.sections.setting import home_path, setting


@dataclass(frozen=True, kw_only=True)
class MachineSettings:
    broker_url: str = setting(
        "broker.url",
        "",
        values.text,
        "Redis or Valkey: redis://, rediss:// or unix://. Empty: the private server that `cw up` starts",
    )
    broker_ca: Path | None = setting(
        "broker.ca",
        None,
        values.path,
        "Certificates (PEM) that the broker's must come from, for rediss://",
    )
    broker_insecure: bool = setting(
        "broker.insecure",
        False,
        values.switch,
        "1: a broker on the network may do without TLS or password, because that network is private",
    )
    signing_key_file: Path | None = setting(
        "fleet.signing_key_file",
        None,
        values.path,
        "Key that signs records and messages, the same on every machine of a fleet. Empty: signing.key in host.state_dir, made when first needed",
    )
    lost_host: str = setting(
        "fleet.lost_host",
        "wait",
        values.one_of("wait", "redispatch"),
        "What becomes of tasks whose host fell silent, once their lease is over. wait: for that host; redispatch: another worker begins them anew",
    )
    sweep_every: float = setting(
        "fleet.sweep_every",
        30.0,
        values.amount,
        "Seconds between sweeps for lost hints, ended leases and holds",
    )
    history_limit: int = setting(
        "fleet.history_limit",
        10000,
        values.count,
        "Finished tasks the broker remembers; the archives in HOME keep all",
    )
    rebuild_days: int = setting(
        "fleet.rebuild_days",
        30,
        values.count,
        "Days of archives in HOME from which a broker that lost them is told of finished tasks; 0: none",
    )
    host_name: str = setting(
        "host.name",
        socket.gethostname,
        values.host,
        "This machine's name in the fleet: letters, digits, dots, dashes and _",
    )
    host_tags: tuple[str, ...] = setting(
        "host.tags",
        (),
        values.tags,
        "What this machine has, for `cw dispatch -t`: words such as gpu, with spaces between",
    )
    workers_root: Path = setting(
        "host.workers_root", home_path("~/workers"), values.path, "Folder of the workers' HOMEs"
    )
    state_dir: Path = setting(
        "host.state_dir",
        home_path("~/.local/state/cw"),
        values.path,
        "Private broker's data, logs, pid files",
    )
    min_free_mb: int = setting(
        "host.min_free_mb",
        1024,
        values.count,
        "Megabytes that must be free below host.workers_root: with less a host takes nothing, and with less than a tenth of it a run is ended",
    )
    on_stop: str = setting(
        "host.on_stop",
        "detach",
        values.one_of("detach", "drain", "interrupt"),
        "What a host does with its runs when it is stopped. detach: they go on without it; drain: it waits for them; interrupt: it stops them, and they go on at its next start",
    )
    deaf_after: float = setting(
        "host.deaf_after",
        45.0,
        values.amount,
        "Seconds a message may wait for an idle consumer before the host restarts itself; 0: never",
    )
    notify_to: tuple[str, ...] = setting(
        "notify.to",
        (),
        values.addresses,
        "Whom a host tells outside of GitHub what does not move without a person: webhook:https://…, command:/path/to/program, or what an installed notifier takes; separated by commas",
    )
    notify_secret: str = setting(
        "notify.secret",
        "",
        values.text,
        "Shared with the receivers of webhooks, who know by it who sent a notice",
    )
    flower_port: int = setting("flower.port", 5555, values.count, "Flower's port; 0: no Flower")
    flower_address: str = setting(
        "flower.address",
        "127.0.0.1",
        values.text,
        "Address Flower listens on. Beyond loopback it needs TLS in front of it",
    )
    flower_password: str = setting(
        "flower.password",
        "",
        values.text,
        "Flower's password for the user cw. Empty: one is made and kept in host.state_dir",
    )
