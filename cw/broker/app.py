"""The Celery application: its messages are hints that a task wants running."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cw.broker.address import broker_url, celery_url, tls_options, when_silent
from cw.errors import BrokerUnavailableError
from cw.keyring import load_keyring
from cw.names import FLEET_QUEUE, POOL_QUEUE, host_queue, worker_queue
from cw.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

    from cw.broker.signed_transport import Admit
    from cw.models import TaskSpec

RUN_TASK = "cw.run"
SWEEP_TASK = "cw.sweep"
ASSIGN_TASK = "cw.assign"
RECONCILE_TASK = "cw.reconcile"
PULLS_TASK = "cw.pulls"
ASK_TASK = "cw.ask"
_TICK_SECONDS = 60.0  # after which beat has sent others
TICKS = frozenset({SWEEP_TASK, ASSIGN_TASK, RECONCILE_TASK, PULLS_TASK})  # beat's
# Celery obeys these before its own configuration: another broker than ours, somebody else's module.
_OVERRIDES = (
    "CELERY_BROKER_URL",
    "CELERY_BROKER_READ_URL",
    "CELERY_BROKER_WRITE_URL",
    "CELERY_RESULT_BACKEND",
    "CELERY_CONFIG_MODULE",
    "CELERY_LOADER",
)
_PUBLISH_RETRY = {"max_retries": 2, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 1}


def make_app(settings: Settings, admit: Admit | None = None) -> Celery:
    """The Celery application of this installation: JSON only, every message signed, acknowledged
    early. `admit`: looks at what arrives before Celery does.
    """
    from celery import Celery

    from cw.broker import signed_transport

    for name in _OVERRIDES:  # what a person has set for an application of their own
        os.environ.pop(name, None)
    url = broker_url(settings)
    signing = {signed_transport.OPTION: signed_transport.install(load_keyring(settings), admit)}
    app = Celery("cw", broker=celery_url(url), set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        result_accept_content=["json"],
        task_serializer="json",
        event_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,  # the record decides what is lost, not the message
        worker_prefetch_multiplier=1,
        task_default_queue=POOL_QUEUE,
        task_send_sent_event=False,  # Flower lists records, not messages
        worker_send_task_events=False,
        enable_utc=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 15, "socket_connect_timeout": 5, **signing},
        task_publish_retry_policy=_PUBLISH_RETRY,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=True,
        beat_schedule=beat_schedule(settings),
    )
    if tls := tls_options(url):
        app.conf.broker_use_ssl = tls
    return app


def beat_schedule(settings: Settings) -> dict[str, Any]:
    """What beat sends to the fleet. Nobody does a tick that is older than its interval."""
    wanted = {"sweep": (SWEEP_TASK, settings.sweep_every)}
    if settings.assign_every and (settings.assign_repos or settings.assign_owner):
        wanted["assign"] = (ASSIGN_TASK, settings.assign_every)
    if settings.reconcile_every:
        wanted["reconcile"] = (RECONCILE_TASK, settings.reconcile_every)
    if settings.pulls_every:
        wanted["pulls"] = (PULLS_TASK, settings.pulls_every)
    return {
        name: {
            "task": task,
            "schedule": every,
            "options": {"queue": FLEET_QUEUE, "expires": every},
        }
        for name, (task, every) in wanted.items()
    }


def send_hint(app: Celery, spec: TaskSpec, worker: str | None) -> None:
    """Tell the hosts that a task wants running. May be sent again at any time.

    Raises BrokerUnavailableError.
    """
    queue = worker_queue(worker) if worker else POOL_QUEUE
    shown = f"{spec.label} · {spec.model}"
    _send(app, RUN_TASK, [spec.id], queue=queue, task_id=spec.id, argsrepr=shown, kwargsrepr="{}")


def send_tick(app: Celery, task: str) -> None:
    """Have a host do one of beat's ticks now. Raises BrokerUnavailableError."""
    _send(app, task, [], queue=FLEET_QUEUE, expires=_TICK_SECONDS)


def send_ask(app: Celery, host: str, request: dict[str, Any], expires: float) -> None:
    """Put a question to one host; it answers under the request's id. `expires` in seconds."""
    shown = str(request.get("verb", "?"))
    _send(app, ASK_TASK, [request], queue=host_queue(host), expires=expires, argsrepr=shown)


def _send(app: Celery, task: str, args: list[Any], **options: Any) -> None:
    from kombu.exceptions import OperationalError

    try:
        app.send_task(task, args=args, **options)
    # AttributeError: kombu's way to say that another thread just lost this connection.
    except (OperationalError, AttributeError) as error:
        raise BrokerUnavailableError(
            "the broker does not answer", hint=when_silent(app.conf.broker_url)
        ) from error
