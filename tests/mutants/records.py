"""Records at the broker that cannot be read."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import redis

from cw.store import connection, mending, task_reads
from tests.mutants import Mutant

_TESTS = "tests/integration/test_unreadable.py"


def _one_byte_ends_all() -> None:
    made = redis.Redis.from_url

    def strict(url: str, **options: Any) -> Any:
        return made(url, **options | {"encoding_errors": "strict"})

    patch.object(redis.Redis, "from_url", strict).start()


def _half_a_change() -> None:
    patch.object(connection, "checked", lambda script: script).start()


def _newer_is_damage() -> None:
    patch.object(task_reads, "is_newer", lambda _: False).start()


def _lists_stay_lost() -> None:
    patch.object(mending, "_list_again", lambda *_: None).start()


MUTANTS = {
    "records-one-byte-ends-all": Mutant(
        f"{_TESTS}::test_it_is_named_with_what_to_type_and_set_aside_by_that", _one_byte_ends_all
    ),
    "records-half-a-change": Mutant(
        f"{_TESTS}::test_script_that_would_end_in_the_middle_changes_nothing", _half_a_change
    ),
    "records-newer-is-damage": Mutant(
        f"{_TESTS}::test_a_record_of_a_newer_cw_is_left_alone", _newer_is_damage
    ),
    "records-lists-stay-lost": Mutant(
        f"{_TESTS}::test_a_list_of_another_type_is_made_anew[open]", _lists_stay_lost
    ),
}
