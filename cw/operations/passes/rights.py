"""Who may write to a repository, as asked of its forge; kept for the fleet for an hour."""

from __future__ import annotations

from datetime import timedelta

from cw.forges.reading import Facts, Reader

_LIFE = timedelta(hours=1)


class Rights:
    """Raises what `Reader.may_write` does."""

    def __init__(self, reader: Reader, facts: Facts) -> None:
        self._reader = reader
        self._facts = facts

    def known(self, repo: str, login: str) -> bool | None:
        """None: it has to be asked."""
        kept = self._facts.fact(_name(repo, login))
        return None if kept is None else kept == "yes"

    def may_write(self, repo: str, login: str) -> bool:
        known = self.known(repo, login)
        if known is None:
            known = self._reader.may_write(repo, login)
            self._facts.keep_fact(_name(repo, login), "yes" if known else "no", _LIFE)
        return known


def _name(repo: str, login: str) -> str:
    return f"writes:{repo.lower()}:{login.lower()}"
