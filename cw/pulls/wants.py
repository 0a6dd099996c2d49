"""What reviewers want of a pull request, and what of it a repair has seen to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """An open thread in which people who are heard want something. `last`: id of their newest
    remark; `ours`: we answered after that.
    """

    id: str
    last: str
    ours: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wants:
    """`threads`: ids of those that want something new; `changes`: who asks for changes anew; `ids`:
    of these remarks and reviews. `answered` and `again`: how many threads, and whose request for
    changes, a repair has seen to, while nobody has looked again. `findings`: of a worker that has
    read it, in its words.
    """

    threads: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    answered: int = 0
    again: tuple[str, ...] = ()
    findings: str = ""


NOTHING = Wants()


def wants(threads: Iterable[Heard], changes: Mapping[str, str], answered: Collection[str]) -> Wants:
    """`changes`: who asks for them, each with the id of that review. `answered`: ids of the remarks
    and reviews that a repair has seen to.
    """
    heard = list(threads)
    new = [one for one in heard if not one.ours and one.last not in answered]
    asks = {login: review for login, review in changes.items() if review not in answered}
    return Wants(
        threads=tuple(one.id for one in new),
        changes=tuple(asks),
        ids=(*(one.last for one in new), *asks.values()),
        answered=len(heard) - len(new),
        again=tuple(login for login in changes if login not in asks),
    )
