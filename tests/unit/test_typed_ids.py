"""Ids and ranges as they are typed."""

import pytest

from cw.cli.arguments.params import expand_ids
from cw.errors import BadInputError
from cw.operations.fleet.references import Target, read_target


def test_ranges_keep_their_width() -> None:
    assert expand_ids(("08..11", "docs")) == ["08", "09", "10", "11", "docs"]
    assert expand_ids(("1..3",)) == ["1", "2", "3"]
    assert expand_ids(("5..5",)) == ["5"]


@pytest.mark.parametrize(
    "texts",
    [("8..1",), ("001..02",), ("1..999",), ("a..c",), ("01", "01"), ("01..03", "02"), ("..",)],
)
def test_ranges_that_make_no_sense_are_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError):
        expand_ids(texts)


def test_ids_of_tasks_and_workers_are_told_apart() -> None:
    ulid = "01KR3J8ZV0ABCDEFGHJKMNPQRS"

    assert read_target(ulid.lower()) == Target(task=ulid)
    assert read_target("docs-fixer") == Target(worker="docs-fixer")
