"""A service that ended: what it said, whether that was mended, and whether it is of use to start it
once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from cw.errors import BadInputError, CwError
from cw.services.child import Child
from cw.services.restart_policy import End

_MOST_MENDED = 3  # in one life of a supervisor; a disk that loses more needs a person
_BY_ITSELF = 1  # exit code of a server that gives up, whether or not it was ready before


@dataclass(frozen=True, slots=True)
class ServiceEnding:
    """`mended`: what was done about it. `why`: what the service said; empty when it did not end by
    itself.
    """

    kind: End
    why: str = ""
    mended: str = ""


def judge(child: Child) -> ServiceEnding:
    """Mends what can be mended."""
    code = child.exit_code
    if code is None:
        return ServiceEnding(End.PASSING)
    said = child.said()
    why = child.service.reason(said)
    if not child.service.needs_broker and (not child.ready or code == _BY_ITSELF):
        mended, trouble = _mend(child, said)
        return ServiceEnding(End.MENDED if mended else End.HOPELESS, why + trouble, mended)
    if code == BadInputError.exit_code and not child.ready:
        return ServiceEnding(End.HOPELESS, why)
    return ServiceEnding(End.PASSING, "" if child.ready else why)


def _mend(child: Child, said: str) -> tuple[str, str]:
    """What was done, or what kept it from being done."""
    if child.mended >= _MOST_MENDED:
        return "", ""
    try:
        done = child.service.mend(said)
    except CwError as error:
        return "", f"; {error.message}"
    except OSError as error:
        return "", f"; it could not be put aside: {error.strerror}"
    child.mended += bool(done)
    return done, ""
