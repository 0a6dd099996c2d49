"""What `-i` names: issues by number, range, reference or URL, and the repository they say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cw.errors import BadInputError
from cw.names import issue_number
from cw.operations.fleet.references import read_target

_RANGE = re.compile(r"#?([1-9][0-9]{0,9})\.\.#?([1-9][0-9]{0,9})")
_MOST = 100  # issues of one command


def read_issues(texts: tuple[str, ...], repo: str | None) -> tuple[str, list[int]]:
    """The repository and the issues in it, in the order they were typed. `repo`: what -r said.

    Raises BadInputError: for what is no issue, one given twice, several repositories or none.
    """
    found = [pair for text in texts for pair in _read(text)]
    named = {name.lower(): name for name, _ in found if name}
    if repo is not None:
        named.setdefault(repo.lower() if "/" in repo else repo, repo)
    if len(named) > 1:
        raise BadInputError(
            f"issues of {' and '.join(sorted(named.values()))} cannot go into one dispatch",
            hint="Dispatch each repository's by themselves",
        )
    if not named:
        raise BadInputError(
            "Missing option '-r' / '--repo'",
            hint="Give owner/repo, a path or a URL of git. See: cw dispatch --help",
        )
    numbers = [number for _, number in found]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise BadInputError(
            f"issue {', '.join(map(str, twice))} was given twice", hint="Give each issue once"
        )
    if len(numbers) > _MOST:
        raise BadInputError(f"{len(numbers)} issues at once", hint=f"At most {_MOST}")
    return repo if repo is not None else next(iter(named.values())), numbers


def _read(text: str) -> Iterator[tuple[str, int]]:
    """(owner/repo or nothing, number) of each."""
    span = _RANGE.fullmatch(text)
    if span:
        first, last = int(span[1]), int(span[2])
        if last < first or last - first >= _MOST:
            raise BadInputError(
                f"{text!r} is not a range", hint=f"Use for example -i 3..6, of at most {_MOST}"
            )
        yield from (("", number) for number in range(first, last + 1))
    elif "/" in text:
        target = read_target(text)
        if target.pull or not target.number:
            raise BadInputError(f"{text!r} is not an issue", hint="Use for example -i 22")
        yield target.repo, target.number
    else:
        yield "", issue_number(text)
