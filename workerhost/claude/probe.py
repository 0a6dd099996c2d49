"""Does claude's own sandbox hold? The real claude is made to call its tools by a model of ours."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from cw.homes.files import write_private
from cw.homes.layout import Home
from cw.homes.owner import give_own, inherit, make_folders
from cw.token_names import GITHUB_TOKENS, MODEL_KEYS
from workerhost.agents.leftovers import OURS
from workerhost.claude.call import environment, headless, transcript
from workerhost.claude.policy import policy, write_policy
from workerhost.claude.probe_model import Json, ProbeModel
from workerhost.probing import kernel
from workerhost.probing.canaries import Canaries
from workerhost.probing.inherited import Inherited
from workerhost.probing.judging import SECONDS, judge
from workerhost.programs.runner import Launch
from workerhost.walls.network_access import opened, reach, through_the_door
from workerhost.walls.room import Room
from workerhost.walls.sandbox import View, readable_paths, wrap
from workerhost.walls.startup_files import own_startup_files

_KEY = "sk-ant-of-the-probe"
_NAMESPACES = ("user", "mnt", "pid", "net")  # those that its sandbox has of its own

# `beside`: a folder beside the HOMEs; `port`: of the API.
_SANDBOXED = r"""
reached() {{ echo "reached $1"; }}
[ -z "$ANTHROPIC_API_KEY$CLAUDE_CODE_OAUTH_TOKEN" ] || reached "the model's key"
cat {beside}/secret >/dev/null 2>&1 && reached "another HOME"
cat ~/.zshenv >/dev/null 2>&1 && reached "the logins"
for file in {beside}/by-bash /tmp/.cw-probe ~/.claude/.cw-probe ~/run/.cw-probe; do
  (: >"$file") 2>/dev/null && reached "$file"
done
(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && reached "loopback"
no_proxy= NO_PROXY= GIT_TERMINAL_PROMPT=0 git ls-remote http://127.0.0.1:{port}/x >/dev/null 2>&1
(: >"$HOME/tmp/.cw-probe") && rm "$HOME/tmp/.cw-probe" && echo held
"""


def inner(room: Room, launch: Launch, placed: Canaries, kernels: Inherited) -> str:
    """claude's own tools. The outer wall lets this canary through, so that only theirs is asked."""
    home = room.home
    own_startup_files(home)
    kernel.place_roots(home)
    cwd = Path(tempfile.mkdtemp(prefix="probe-", dir=home.tmp))
    give_own(home)
    inherit(cwd)
    with ProbeModel([]) as model:
        model.calls = _calls(placed, kernels, model.port)
        asked = replace(
            launch,
            model="sonnet",
            session=str(uuid.uuid4()),
            cwd=cwd,
            env=_env(launch.env, model),
        )
        # Its sandbox stumbles over the folder of conversations when that comes into being beside it
        # (2.1.332, on a busy machine: "Can't create file at .../projects: Is a directory").
        make_folders(transcript(home, cwd, asked.session).parent)
        try:
            said = _ask(room, asked, placed)
        finally:
            _clear(home, cwd)
        if len(model.answers) < len(model.calls):
            called = f"{launch.binary} called none of its tools"
            return f"the probe could not run: {called}: {said[-300:]}"
        root = kernel.whose(home)
        found = _judge_tools(model, placed)
        return f"claude's Bash tool has {root}" if root else found


def _calls(placed: Canaries, kernels: Inherited, port: int) -> list[tuple[str, Json]]:
    secret, made = placed.secret(placed.beside), placed.beside / "by-write"
    script = _SANDBOXED.format(beside=shlex.quote(str(placed.beside)), port=port)
    args = kernel.arguments(kernels, _NAMESPACES)
    switches = shlex.join(["/bin/sh", "-c", kernel.SCRIPT, "sh", *args])
    return [
        ("Bash", {"command": script, "description": "Probe"}),
        ("Bash", {"command": switches, "description": "Probe"}),
        ("Read", {"file_path": str(secret)}),
        ("Write", {"file_path": str(made), "content": placed.word}),
    ]


def _clear(home: Home, cwd: Path) -> None:
    shutil.rmtree(cwd, ignore_errors=True)
    shutil.rmtree(transcript(home, cwd, "x").parent, ignore_errors=True)
    for left in (home.policy, home.system_prompt, home.ignored):
        left.unlink(missing_ok=True)


def _ask(room: Room, launch: Launch, placed: Canaries) -> str:
    home, wall = room.home, room.wall
    made = policy(room, "")
    # Above what the HOME's settings may say about them.
    names = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")
    write_policy(home, made | {"env": {name: launch.env[name] for name in names}})
    write_private(home.system_prompt, b"You are a probe.\n")
    told = reach(room.settings, launch.env)
    env = through_the_door(launch.env) if wall.outer else launch.env
    with opened(home.run / "net-probe", told, wall.user) if wall.outer else nullcontext() as door:
        view = View(
            readable=readable_paths(room.settings, launch.binary, ""),
            writable=(placed.beside,),
            cwd=launch.cwd,
            door=door,
        )
        done = subprocess.run(
            wrap(headless(home, launch), wall, home, view),
            cwd=launch.cwd,
            env=environment(room, env) | OURS,
            input="Begin.",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    return f"{done.stdout[-300:]} {done.stderr[-300:]}".strip()


def _env(env: Mapping[str, str], model: ProbeModel) -> dict[str, str]:
    """No login of anybody, and nobody asked but our model."""
    kept = {name: env[name] for name in env if name not in {*MODEL_KEYS, *GITHUB_TOKENS}}
    return {
        **kept,
        "ANTHROPIC_BASE_URL": model.url,
        "ANTHROPIC_API_KEY": _KEY,
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    }


def _judge_tools(model: ProbeModel, placed: Canaries) -> str:
    bash, switches, *files = (model.answers[number] for number in range(len(model.calls)))
    if model.called.is_set():
        return "claude's Bash tool reached a closed host"
    for (name, _), answer in zip(model.calls[2:], files, strict=True):
        if not answer.get("is_error") or placed.word in str(answer):
            return f"claude's {name} tool reached a file outside HOME"
    found = (judge("claude's Bash tool", _text(answer), "") for answer in (bash, switches))
    return next(filter(None, found), "")


def _text(answer: Json) -> str:
    content = answer.get("content", "")
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content)
