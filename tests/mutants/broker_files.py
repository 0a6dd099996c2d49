"""What is done about damaged files of the private broker, and when its starts come to an end."""

from __future__ import annotations

from collections.abc import Callable

import cw.cli.main
import cw.services.broker_repair
import cw.services.restart_policy
from tests.mutants import Mutant

_TEST = "tests/integration/test_broker_damaged.py::"
_SERVED = f"{_TEST}test_damaged_file_is_put_aside_and_the_rest_is_served"


def _instead(module: object, name: str, other: object) -> Callable[[], None]:
    return lambda: setattr(module, name, other)


MUTANTS = {
    "broker-is-not-repaired": Mutant(
        test=f"{_SERVED}[redis-server-zeros at the end]",
        take_out=_instead(cw.services.broker_repair, "after_end", lambda *_: ""),
    ),
    "broker-without-its-list-starts-empty": Mutant(
        test=f"{_SERVED}[redis-server-list gone]",
        take_out=_instead(cw.services.broker_repair, "before_start", lambda _: ""),
    ),
    "broker-is-started-for-ever": Mutant(
        test="tests/unit/test_services_decide.py"
        "::test_service_that_says_why_it_cannot_run_is_not_started_for_ever",
        take_out=_instead(cw.services.restart_policy.Watched, "stopped", property(lambda _: False)),
    ),
    "broker-away-without-a-reason": Mutant(
        test="tests/integration/test_state_damaged.py"
        "::test_what_a_broker_said_is_told_to_whoever_finds_it_away",
        take_out=_instead(cw.cli.main, "_why_away", lambda error: error.line()),
    ),
}
