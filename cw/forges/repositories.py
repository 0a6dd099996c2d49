"""Repositories, as a forge tells them."""

from __future__ import annotations

from dataclasses import dataclass

from cw.models import Model
from cw.names import same_repo


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """`name`: as GitHub writes it now. `role`: of the token's account. `scopes`: of a classic
    token; None of any other.
    """

    id: int
    name: str
    private: bool
    archived: bool
    disabled: bool
    issues: bool
    branch: str  # the default one; empty: there is none yet
    push: bool
    role: str = ""
    scopes: frozenset[str] | None = None


class Place(Model):
    """A repository on GitHub. `name`: what it is called now."""

    id: int
    name: str


def moved(place: Place, name: str) -> bool:
    return not same_repo(place.name, name)
