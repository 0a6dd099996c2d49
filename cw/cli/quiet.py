"""Standard error is for our one line: libraries say nothing there.

Without a handler, logging prints warnings on it (PyGithub 2.10: `Request GET … failed with 403`;
urllib3 2: `Retrying (…) after connection broken`; redis, kombu and celery when a connection ends).
So do `warnings`, and what is raised in a thread or while something is thrown away.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings


def hush() -> None:
    """For a process of `cw`. Who starts Python with -W or PYTHONWARNINGS wants to see them."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        warnings.showwarning = _no_warning  # some turn theirs on again
    threading.excepthook = _nothing
    sys.unraisablehook = _nothing


def _no_warning(*_args: object, **_named: object) -> None:
    return


def _nothing(_what: object) -> None:
    return
