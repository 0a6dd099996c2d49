"""A host with a fault that nobody foresaw: it stumbles over each run that it finds on its disk."""

from __future__ import annotations

import sys

from workerhost.runs import adoption


def stumble(*_: object) -> str:
    raise ZeroDivisionError


if __name__ == "__main__":
    from workerhost.__main__ import main

    setattr(adoption, "go_on", stumble)  # noqa: B010  a name that it has from elsewhere
    sys.exit(main())
