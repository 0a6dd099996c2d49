"""The to-do list follows from what the agent said, whatever it said."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cw.models import Event
from cw.transcript.todos import complete, todos
from tests.making import NOW


def call(tool: str, **given_: Any) -> Event:
    return Event(at=NOW, kind="todo", text=tool, data={"tool": tool, "input": given_})


def result(text: str) -> Event:
    return Event(at=NOW, kind="result", text=text, data={"error": False})


def created(number: int, subject: str) -> list[Event]:
    said = f"Task #{number} created successfully: {subject}"
    return [call("TaskCreate", subject=subject), result(said)]


def update(number: int, status: str) -> Event:
    return call("TaskUpdate", taskId=str(number), status=status)


def shown(events: list[Event]) -> list[tuple[int, str, str]]:
    return [(one.number, one.subject, one.status) for one in todos(events)]


def test_created_points_are_pending_until_they_are_updated() -> None:
    events = [*created(1, "Look"), *created(2, "Change"), update(1, "completed")]

    assert shown([*events, update(2, "in_progress")]) == [
        (1, "Look", "completed"),
        (2, "Change", "in_progress"),
    ]


def test_points_created_at_once_get_the_number_their_answer_names() -> None:
    events = [
        call("TaskCreate", subject="Look"),
        call("TaskCreate", subject="Change"),
        result("Task #2 created successfully: Change"),
        result("Task #1 created successfully: Look"),
    ]

    assert shown(events) == [(1, "Look", "pending"), (2, "Change", "pending")]


def test_point_without_an_answer_yet_comes_last() -> None:
    assert shown([*created(1, "Look"), call("TaskCreate", subject="Change")]) == [
        (1, "Look", "pending"),
        (2, "Change", "pending"),
    ]


def test_resumed_conversation_goes_on_with_its_list() -> None:
    again = Event(at=NOW, kind="init", text="claude in /w")

    assert shown([*created(1, "Look"), again, update(1, "completed"), *created(2, "More")]) == [
        (1, "Look", "completed"),
        (2, "More", "pending"),
    ]


def test_number_given_again_begins_a_new_list() -> None:
    old = [*created(1, "Look"), *created(2, "Change"), update(1, "completed")]

    assert shown([*old, *created(1, "Begin anew")]) == [(1, "Begin anew", "pending")]


def test_deleted_point_is_gone_and_a_renamed_one_renamed() -> None:
    renamed = call("TaskUpdate", taskId="2", subject="Write")

    assert shown([*created(1, "A"), *created(2, "B"), update(1, "deleted"), renamed]) == [
        (2, "Write", "pending")
    ]


def test_update_of_a_point_that_was_not_seen_keeps_its_place() -> None:
    found = todos([update(7, "completed")])

    assert [(one.number, one.subject, one.status) for one in found] == [(7, "", "completed")]
    assert not complete(found)
    assert complete(todos(created(1, "A")))


def test_todo_write_replaces_the_whole_list() -> None:
    rows = [{"content": "A", "status": "completed"}, {"content": "B", "status": "nonsense"}]

    old = call("TodoWrite", todos=[{"content": "Old"}])

    assert shown([old, call("TodoWrite", todos=rows)]) == [
        (1, "A", "completed"),
        (2, "B", "pending"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["taskId", "status", "subject", "todos", "content"]) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
TOOLS = st.sampled_from(["TaskCreate", "TaskUpdate", "TodoWrite", "Bash"])


@given(st.lists(st.tuples(TOOLS, JSON), max_size=6), st.text())
def test_no_input_breaks_the_list(calls: list[tuple[str, Any]], said: str) -> None:
    events = [
        Event(at=NOW, kind="todo", text="", data={"tool": tool, "input": given_})
        for tool, given_ in calls
    ]

    numbers = [one.number for one in todos([*events, result(said)])]

    assert numbers == sorted(set(numbers))
