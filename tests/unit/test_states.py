"""The table of transitions: every move legal, no way into a dead end."""

from __future__ import annotations

import pytest

from cw.states import OPEN, TRANSITIONS, Move, State, sources, target


def ways_out(state: State) -> set[State | None]:
    return {to for origins, to in TRANSITIONS.values() if state in origins}


def reachable(begin: State) -> set[State | None]:
    found: set[State | None] = {begin}
    edge: list[State] = [begin]
    while edge:
        for one in ways_out(edge.pop()) - found:
            found.add(one)
            if one:
                edge.append(one)
    return found


def test_every_move_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Move)
    assert {move for move in Move if not TRANSITIONS[move][0]} == {Move.RESTORE, Move.REBUILD}


@pytest.mark.parametrize("move", Move)
def test_only_a_person_brings_back_what_is_done(move: Move) -> None:
    assert (State.DONE in TRANSITIONS[move][0]) == (move is Move.REOPEN)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_state_has_a_way_to_done(state: State) -> None:
    assert State.DONE in reachable(state)


def test_every_state_is_reached_from_the_first() -> None:
    assert reachable(State.QUEUED) - {None} == set(State)


def test_only_a_lease_leads_to_running_and_only_running_finishes() -> None:
    leases = {Move.ACQUIRE, Move.ADOPT, Move.RESTORE}
    assert {move for move in Move if TRANSITIONS[move][1] is State.RUNNING} == leases
    assert TRANSITIONS[Move.FINISH] == (frozenset({State.RUNNING}), State.DONE)


@pytest.mark.parametrize("move", Move)
def test_scripts_get_sources_and_target_as_words(move: Move) -> None:
    origins, to = TRANSITIONS[move]

    assert set(sources(move).strip(",").split(",")) - {""} == {one.value for one in origins}
    assert sources(move)[0] == sources(move)[-1] == ","
    assert target(move) == (to.value if to else "")
