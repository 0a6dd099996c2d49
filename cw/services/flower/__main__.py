"""`python -m cw.services.flower`: Flower behind a password, on loopback unless told otherwise."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from typing import Any

from cw import sdnotify
from cw.audit import Audit, audit_file
from cw.broker.address import broker_url
from cw.broker.app import make_app, send_ask, send_hint
from cw.errors import BadInputError, CwError
from cw.homes.files import write_private
from cw.keyring import load_keyring
from cw.operations.control.shared import Control
from cw.services.catalog import flower_url, flower_url_file
from cw.services.files import private_folder
from cw.services.flower import web
from cw.services.flower.headers import add_headers
from cw.services.flower.keeping import keep_listing
from cw.services.flower.login import USER, password
from cw.settings import Settings, load_settings
from cw.store.store import Store, open_store

_NEXT_PORTS = 20  # tried in order, so that a bookmark mostly survives a restart
_TASKS_SHOWN = 10_000  # about 50 MB; Flower's own limit is ten times that
_COLUMNS = "name,state,result,runtime,received,worker,uuid"


def run(settings: Settings) -> None:
    """Until SIGTERM."""
    from flower.app import Flower
    from flower.options import options
    from flower.urls import settings as web_settings

    private_folder(flower_url_file(settings).parent)
    # Set here, not by argv, a file or FLOWER_* variables: nobody sees it, nothing overrides it.
    options.basic_auth = [f"{USER}:{password(settings)}"]
    options.address = settings.flower_address
    options.max_tasks = _TASKS_SHOWN
    options.tasks_columns = _COLUMNS
    options.natural_time = True
    store = open_store(broker_url(settings), load_keyring(settings))
    flower = Flower(capp=make_app(settings), options=options, **web_settings)
    handlers = web.handlers(_control(flower.capp, store), _audit(settings, store), settings)
    flower.add_handlers(r".*", handlers)
    add_headers(flower)
    port = listen(flower, settings.flower_port)
    write_private(flower_url_file(settings), flower_url(settings, port).encode())
    logging.getLogger(__name__).info("listening on %s port %s", settings.flower_address, port)
    keep_listing(flower, store)
    sdnotify.notify(os.environ, sdnotify.READY)
    signal.signal(signal.SIGTERM, _leave)
    try:
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        flower.stop()


def rest(settings: Settings) -> None:
    """No Flower, until SIGTERM: whoever ended would be started again and again by systemd."""
    flower_url_file(settings).unlink(missing_ok=True)
    logging.getLogger(__name__).info("flower.port is 0: no Flower")
    try:
        signal.signal(signal.SIGTERM, _leave)
        sdnotify.notify(os.environ, sdnotify.READY)
        while True:
            signal.pause()
    except (KeyboardInterrupt, SystemExit):
        return


def _control(app: Any, store: Store) -> Control:
    return Control(
        store=store,
        send=lambda host, request, expires: send_ask(app, host, request, expires),
        hint=lambda spec, worker: send_hint(app, spec, worker),
        by="flower",
    )


def _audit(settings: Settings, store: Store) -> Audit:
    """This machine's: in whose name, Flower does not know."""
    return Audit(audit_file(settings), lambda head: store.audit.keep(settings.host_name, head))


def listen(flower: Any, wanted: int) -> int:
    """The wanted port, else one of the next, else any. Returns the real one."""
    last = min(wanted + _NEXT_PORTS, 65535)
    for port in (*range(wanted, last + 1), 0):
        flower.options.port = port
        try:
            return int(flower.start_http_server())
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise BadInputError(
                    f"Flower cannot listen on {flower.options.address}: {error.strerror}",
                    hint="CW_FLOWER_ADDRESS is an address of this machine",
                ) from error
    raise BadInputError("no port is free for Flower", hint="Set CW_FLOWER_PORT")


def _leave(*_: object) -> None:
    raise SystemExit


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    try:
        settings = load_settings(os.environ)[0]
        (run if settings.flower_port else rest)(settings)
    except CwError as error:
        print(error.line(), file=sys.stderr)  # noqa: T201 - its log
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
