"""While another program has the terminal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def for_another() -> Iterator[None]:
    """Ctrl-C is for a pager or an editor that was started before: as git has it. With a handler, as
    what is ignored would be so in its children, too.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
