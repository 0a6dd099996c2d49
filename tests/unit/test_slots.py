"""Identities are promised to messages: one task each, and none twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from workerhost.inbox.slots import Slots


def slots(*workers: str) -> Slots:
    made = Slots()
    for one in workers:
        made.add(one)
    return made


def test_worker_is_added_once() -> None:
    made = Slots()

    assert [made.add("01"), made.add("01")] == [True, False]
    assert made.known() == ["01"]


def test_promised_worker_is_not_idle_until_released() -> None:
    made = slots("01", "02")

    assert made.reserve_for("T", ["01"]) == "01"
    assert made.idle() == ["02"]
    assert made.claim("T") == "01"
    assert made.idle() == ["02"]
    made.release("01")
    assert made.idle() == ["01", "02"]


def test_pool_takes_any_idle_worker_until_there_is_none() -> None:
    made = slots("02", "01")

    assert [made.reserve_for(task, made.available()) for task in "ABC"] == ["01", "02", None]
    assert [made.claim(task) for task in "ABC"] == ["01", "02", None]


def test_busy_or_unknown_worker_is_not_promised() -> None:
    made = slots("01")
    made.reserve("01")

    assert made.reserve_for("T", ["01"]) is None
    assert made.reserve_for("T", ["99"]) is None
    assert made.claim("T") is None


def test_same_message_twice_claims_two_workers() -> None:
    """The second acquire is refused by the store; both workers must come free again."""
    made = slots("01", "02")
    made.reserve_for("T", made.available())
    made.reserve_for("T", made.available())

    assert [made.claim("T"), made.claim("T"), made.claim("T")] == ["01", "02", None]


def test_worker_kept_for_a_task_takes_that_one_only() -> None:
    made = slots("01")
    made.pin("01", "T")

    assert made.available() == []
    assert made.idle() == ["01"]
    assert made.reserve_for("other", ["01"]) is None
    assert made.reserve_for("other", made.available()) is None
    assert made.reserve_for("T", ["01"]) == "01"


def test_paused_worker_takes_nothing_until_it_is_resumed() -> None:
    made = slots("01")
    made.pin("01", "T", paused=True)

    assert made.reserve_for("T", ["01"]) is None
    made.pin("01", None)
    assert made.reserve_for("T", ["01"]) == "01"


def test_removed_worker_is_forgotten_even_by_a_late_release() -> None:
    made = slots("01")
    made.remove("01")
    made.release("01")

    assert made.known() == []


def test_threads_never_share_a_worker() -> None:
    made = slots("01", "02", "03")
    with ThreadPoolExecutor(8) as pool:
        taken = list(
            pool.map(lambda number: made.reserve_for(f"T{number}", made.available()), range(64))
        )

    assert sorted(one for one in taken if one) == ["01", "02", "03"]


def test_paused_worker_is_idle_but_not_willing() -> None:
    made = slots("01", "02", "03")
    made.pin("01", None, paused=True)
    made.pin("02", "T")

    assert made.idle() == ["01", "02", "03"]
    assert made.accepting() == ["02", "03"]
    assert made.available() == ["03"]
    made.pin("01", None)
    assert made.accepting() == ["01", "02", "03"]


def test_worker_made_again_is_kept_for_nothing() -> None:
    made = slots("01")
    made.pin("01", None, paused=True)
    made.remove("01")
    made.add("01")

    assert made.available() == ["01"]
