"""Who agents are to the kernel, and what they inherit of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from cw.homes.agent_user import AgentUser
from tests.mutants import Mutant
from workerhost.probing import kernel
from workerhost.walls import isolation, sandbox
from workerhost.walls.isolation import Wall

_PROBE = "tests/integration/test_probe.py"
_HOLDS = f"{_PROBE}::test_nothing_is_reached_and_nothing_left_behind"


def _shared_ipc() -> None:
    kept = tuple(one for one in isolation._NAMESPACES if one != "--unshare-ipc")
    pytest.MonkeyPatch().setattr(isolation, "_NAMESPACES", kept)


def _blind() -> None:
    kernel.SCRIPT = ": >~/tmp/.cw-probe-user; echo held"


def _inherited_keyring() -> None:
    pytest.MonkeyPatch().setattr(sandbox, "new_session_keyring", lambda: None)


def _root() -> None:
    """Agents with root's number, in a HOME of root's, behind the same wall."""

    def stay(user: AgentUser, paths: Iterable[Path] = ()) -> list[str]:
        for path in paths:
            if path.exists() and path.stat().st_uid == user.uid:
                for one in (path, *path.rglob("*")):
                    os.chown(one, 0, 0, follow_symlinks=False)
        return []

    pytest.MonkeyPatch().setattr(sandbox, "step_down", stay)
    pytest.MonkeyPatch().setattr(Wall, "root_without_user", property(lambda _: ""))


MUTANTS = {
    "walls-shared-ipc": Mutant(_HOLDS, _shared_ipc),
    "walls-blind-probe": Mutant(f"{_PROBE}::test_what_the_kernel_leaves_open_is_found", _blind),
}
if os.geteuid() == 0:  # elsewhere nobody is root
    MUTANTS["walls-agents-as-root"] = Mutant(_HOLDS, _root)
else:  # root's agents get another one once more, where they become who they are
    MUTANTS["walls-inherited-keyring"] = Mutant(
        f"{_PROBE}::test_key_of_the_host_is_seen_without_a_wall_and_not_behind_it",
        _inherited_keyring,
    )
