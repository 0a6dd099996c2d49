"""Standard error is for our one line: libraries say nothing there.

PyGithub 2.10 has a handler of its own for `Request GET … failed with 403`. Others (urllib3 when it
tries again, redis, kombu and celery when a connection ends) get logging's last resort. So do
`warnings`, and what is raised in a thread or while something is thrown away. The processes that
stay have logs of their own.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings


def hush() -> None:
    """For a process of `cw`. Who starts Python with -W or PYTHONWARNINGS wants to see them."""
    logging.disable(logging.CRITICAL)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        warnings.showwarning = _no_warning  # some turn theirs on again
    threading.excepthook = _nothing
    sys.unraisablehook = _nothing


def _no_warning(*_args: object, **_named: object) -> None:
    return


def _nothing(_what: object) -> None:
    return
