"""`python -m cw.services.beat`: Celery beat, which sends the sweep, assign, reconcile and pulls.

With the private server there is one beat. With a configured broker every machine's `cw up` runs
one; RedBeat lets one of them send and keeps in Redis what was sent when.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from cw import sdnotify
from cw.broker.address import broker_url
from cw.broker.app import make_app
from cw.errors import CwError
from cw.homes.files import write_private
from cw.services.catalog import beat_pid_file
from cw.services.files import private_folder
from cw.settings import Settings, load_settings

if TYPE_CHECKING:
    from celery import Celery

# A dead beat is replaced about lock_timeout + max_interval later: 8 s measured.
_LOCK_SECONDS = 6  # three ticks: one slow answer of Redis does not depose a beat
_TICK_SECONDS = 2


def run(settings: Settings) -> None:
    """Until SIGTERM."""
    from celery.signals import beat_init

    folder = private_folder(beat_pid_file(settings).parent)

    def say_ready(**_: object) -> None:
        write_private(beat_pid_file(settings), str(os.getpid()).encode())
        sdnotify.notify(os.environ, sdnotify.READY)

    # Before RedBeat's own receiver, which waits for its turn: standing by is ready, too.
    beat_init.connect(say_ready)
    os.umask(0o077)
    app = make_app(settings)
    # No pidfile: that there is one beat is the supervisor's business. Quiet: no banner.
    app.Beat(
        schedule=str(folder / "schedule"),
        loglevel="INFO",
        quiet=True,
        no_color=True,
        **_scheduler(settings, app),
    ).run()


def _scheduler(settings: Settings, app: Celery) -> dict[str, Any]:
    if not settings.broker_url:
        own = "cw.services.beat_schedule:OwnScheduler"
        return {"scheduler": own, "max_interval": _TICK_SECONDS}
    app.conf.update(
        redbeat_redis_url=broker_url(settings),
        redbeat_key_prefix="cw:beat:",
        redbeat_lock_timeout=_LOCK_SECONDS,
    )
    return {"scheduler": "cw.services.beat_schedule:FleetScheduler", "max_interval": _TICK_SECONDS}


def main() -> int:
    try:
        run(load_settings(os.environ)[0])
    except CwError as error:
        print(error.line(), file=sys.stderr)  # noqa: T201 - its log
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
