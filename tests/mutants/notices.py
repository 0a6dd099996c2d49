"""Without what keeps notices few, each to be told once, and to whom they are meant for."""

from __future__ import annotations

from cw.notices import webhook
from cw.operations.rest import notices
from cw.states import Move
from tests.mutants import Mutant
from tests.mutants.words import put
from workerhost.github.delivered_writes import Delivered

_RULE = "tests/unit/test_notice_rule.py"
_NOTIFIERS = "tests/unit/test_notifiers.py"
_TOLD = "tests/integration/test_notices.py"

MUTANTS = {
    "a notice of whatever ends or goes on": Mutant(
        f"{_RULE}::test_a_person_is_told_of_what_does_not_move_without_one",
        put(notices, "_ENDS", frozenset(Move)),
    ),
    "a notice as often as its task ends": Mutant(
        f"{_TOLD}::test_same_cause_is_told_once_also_by_the_next_process",
        put(Delivered, "knows", lambda _self, _entry: False),
    ),
    "webhooks without TLS": Mutant(
        f"{_NOTIFIERS}::test_webhook_is_https_or_loopback",
        put(webhook, "_is_loopback", lambda _host: True),
    ),
}
