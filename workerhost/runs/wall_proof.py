"""The probe of this host's walls, with the agents that run behind them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cw.broker.address import broker_url
from cw.credentials.agentenv import agent_environment
from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.probing.probe import probe
from workerhost.probing.proof import Proof, Subject
from workerhost.programs.known import folder_of
from workerhost.programs.runner import Launch, Runner
from workerhost.walls.isolation import Wall
from workerhost.walls.room import Room


def proof_of(settings: Settings, wall: Wall, runner: Runner, host_env: Mapping[str, str]) -> Proof:
    def rules(home: Home) -> Mapping[str, object]:
        return runner.rules(Room(home, wall, settings), "")

    def tried(home: Home, binary: Path) -> str:
        room, env = Room(home, wall, settings), agent_environment(home, settings, host_env)
        order = Launch(binary=binary, model="", session="", resume=False, cwd=home.path, env=env)
        inner = partial(runner.probe, room, order) if runner.inner else None
        return probe(room, binary, broker_url(settings), inner)

    find = partial(runner.find, settings, host_env)
    return Proof(settings, wall, Subject(find=find, rules=rules, code=folder_of(runner)), tried)
