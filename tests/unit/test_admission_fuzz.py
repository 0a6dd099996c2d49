"""10,000 odd messages, ids and names: none is taken, none leaves its folder, nothing crashes."""

from __future__ import annotations

import base64
import copy
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cw.broker import signed_transport
from cw.broker.app import ASK_TASK, RUN_TASK, SWEEP_TASK
from cw.claude.models import model_name
from cw.errors import CwError
from cw.homes.journal import archive_name
from cw.homes.layout import Home
from cw.names import worker_id
from cw.operations.fleet.references import read_target
from cw.repos import parse_repo
from tests.making import KEYRING, make_id, make_spec
from workerhost.inbox.admission import admit

T = TypeVar("T")

MANY = 2500  # of each of four kinds
SEED = 20
QUEUE = "worker.01"
PIECES = (
    *("..", "/", "\\", "~", "\0", "\n", " ", "-", "--", "$(touch x)", ";", "|", "`", "'", '"'),
    *("é", "\u202e", "\ufeff", "😀", "\ud800", "git@", "https://", "ext::sh -c x", "file://", ":"),
    *("acme", "app", ".git", "#7", "01", "A" * 300, "{}", "[", "null", "1e999", "0x1", "@", "."),
)


def text(dice: random.Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randint(0, 6)))


def message(task: str, args: list[Any]) -> dict[str, Any]:
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([args, {}, embedded]).encode()).decode()
    return {
        "body": body,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": task, "id": "1"},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": "1",
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
        },
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a message that could be changed."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else ()
    return found + [one for name, inner in items for one in places(inner, (*path, name))]


def bent(dice: random.Random, whole: dict[str, Any]) -> Any:
    """With one thing changed, added or taken away."""
    made = copy.deepcopy(whole)
    path = dice.choice(places(made))
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    odd: Any = dice.choice([text(dice), None, [], {}, -1, 1e308, True, [[]], {"x": text(dice)}])
    before = copy.deepcopy(inner[path[-1]])
    if dice.random() < 0.3:
        del inner[path[-1]]
    elif odd == before:
        inner[f"{path[-1]}x"] = odd
    else:
        inner[path[-1]] = odd
    return made


def test_bent_message_is_never_believed() -> None:
    dice, now = random.Random(SEED), time.time()  # noqa: S311  repeatable on purpose
    genuine = [message(RUN_TASK, [make_id()]), message(SWEEP_TASK, [])]
    for one in genuine:
        signed_transport.sign(KEYRING, one, now)
        assert signed_transport.refusal(KEYRING, json.loads(json.dumps(one)), QUEUE, now) is None

    for _ in range(MANY):
        odd = bent(dice, dice.choice(genuine))
        assert signed_transport.refusal(KEYRING, odd, QUEUE, now), odd


def test_odd_arguments_are_never_admitted() -> None:
    """Signed all the same: by somebody of ours who went wrong."""
    dice = random.Random(SEED)  # noqa: S311  repeatable on purpose
    assert admit(message(RUN_TASK, [make_id()]), QUEUE) == ""
    assert admit(message(ASK_TASK, [{"id": "0" * 32, "verb": "look"}]), QUEUE) == ""
    assert admit(message(SWEEP_TASK, []), QUEUE) == ""

    for _ in range(MANY):
        ask: dict[str, str] = {"id": text(dice), "verb": text(dice), text(dice): text(dice)}
        for odd in (
            message(RUN_TASK, [text(dice)]),
            message(RUN_TASK, [make_id(), text(dice)]),
            message(ASK_TASK, [ask]),
            message(SWEEP_TASK, [text(dice)]),
            message(text(dice), []),
        ):
            assert admit(odd, QUEUE), odd


def _taken(parse: Callable[[str], T], odd: str) -> T | None:
    try:
        return parse(odd)
    except CwError:
        return None


def test_odd_ids_and_names_lead_nowhere_else(tmp_path: Path) -> None:
    dice = random.Random(SEED)  # noqa: S311  repeatable on purpose
    for _ in range(MANY):
        odd = text(dice)
        worker = _taken(worker_id, odd)
        assert worker is None or (tmp_path / worker).parent == tmp_path
        target = _taken(read_target, odd)
        assert target is None or not target.task or target.task.isalnum()
        model = _taken(model_name, odd)
        assert model is None or not model.startswith("-")


def test_odd_repositories_stay_below_the_clones(tmp_path: Path) -> None:
    dice, home = random.Random(SEED), Home(tmp_path / "01")  # noqa: S311  repeatable on purpose
    for _ in range(MANY):
        try:
            repo = parse_repo(text(dice), github_url="https://github.com", cwd=tmp_path)
        except CwError:
            continue
        spec = make_spec(repo=repo.name, repo_folder=repo.folder)
        for folder, name in ((home.clones, repo.folder), (home.completed, archive_name(spec))):
            path = (folder / name).resolve()
            assert path.is_relative_to(folder.resolve()), repo
            assert path != folder.resolve(), repo
    assert list(tmp_path.iterdir()) == []
