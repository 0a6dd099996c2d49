"""The Celery application: its messages are hints that a task wants running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from cw.errors import BrokerUnavailableError
from cw.names import FLEET_QUEUE, POOL_QUEUE, host_queue, worker_queue
from cw.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

    from cw.models import TaskSpec

RUN_TASK = "cw.run"
SWEEP_TASK = "cw.sweep"
ASSIGN_TASK = "cw.assign"
RECONCILE_TASK = "cw.reconcile"
ASK_TASK = "cw.ask"
_PUBLISH_RETRY = {"max_retries": 2, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 1}


def private_url_file(settings: Settings) -> Path:
    """Where the private server's URL, password included, is kept (mode 0600)."""
    return settings.state_dir / "broker" / "url"


def broker_url(settings: Settings) -> str:
    """The broker in use: the configured one, else the private server's."""
    if settings.broker_url:
        return settings.broker_url
    try:
        return private_url_file(settings).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise BrokerUnavailableError(
            "no broker is configured and none was started here",
            hint="Start everything with: cw up; or set CW_BROKER_URL",
        ) from None


def celery_url(url: str) -> str:
    """The same broker as kombu writes it: unix://:pw@/path?db=0 is redis+socket:// there."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    secret = f":{quote(parts.password, safe='')}@" if parts.password else ""
    return f"redis+socket://{secret}{parts.path}?virtual_host=0"


def make_app(settings: Settings) -> Celery:
    """The Celery application of this installation. JSON only; messages are acknowledged early."""
    from celery import Celery

    app = Celery("cw", broker=celery_url(broker_url(settings)), set_as_current=False)
    app.conf.update(
        accept_content=["json"],
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
        broker_transport_options={"socket_timeout": 15, "socket_connect_timeout": 5},
        task_publish_retry_policy=_PUBLISH_RETRY,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=True,
        beat_schedule=beat_schedule(settings),
    )
    return app


def beat_schedule(settings: Settings) -> dict[str, Any]:
    """What beat sends to the fleet. Nobody does a tick that is older than its interval."""
    wanted = {"sweep": (SWEEP_TASK, settings.sweep_every)}
    if settings.assign_every and (settings.assign_repos or settings.assign_owner):
        wanted["assign"] = (ASSIGN_TASK, settings.assign_every)
    if settings.reconcile_every:
        wanted["reconcile"] = (RECONCILE_TASK, settings.reconcile_every)
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
            "the broker does not answer", hint="Start it with: cw up; or set CW_BROKER_URL"
        ) from error
