"""`python -m cw.services.beat`: Celery beat, which sends the sweep."""

from __future__ import annotations

import os
import sys

from cw.broker import make_app
from cw.errors import CwError
from cw.services.catalog import beat_pid_file
from cw.services.files import private_folder
from cw.settings import Settings, load_settings
from workerhost.files import write_private


def run(settings: Settings) -> None:
    """Until SIGTERM."""
    from celery.signals import beat_init

    folder = private_folder(beat_pid_file(settings).parent)

    def say_ready(**_: object) -> None:
        write_private(beat_pid_file(settings), str(os.getpid()).encode())

    beat_init.connect(say_ready)
    os.umask(0o077)
    app = make_app(settings)
    # No pidfile: that there is one beat is the supervisor's business. Quiet: no banner.
    app.Beat(schedule=str(folder / "schedule"), loglevel="INFO", quiet=True, no_color=True).run()


def main() -> int:
    try:
        run(load_settings(os.environ)[0])
    except CwError as error:
        print(error.line(), file=sys.stderr)  # noqa: T201 - its log
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
