"""Do the walls hold? Plain processes behind them, and then the real claude, are sent to canaries.

Whatever is not plainly refused counts as reached, and so does a probe that cannot run.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from cw.credentials.agentenv import agent_environment
from cw.errors import CwError
from cw.homes.files import write_private
from cw.homes.layout import Home
from cw.homes.owner import give_own, inherit
from cw.settings import Settings
from cw.token_names import GITHUB_TOKENS, MODEL_KEYS
from workerhost.agents.claude import transcript
from workerhost.agents.launch import Launch, claude_argv, environment
from workerhost.agents.leftovers import OURS
from workerhost.probing import kernel
from workerhost.probing.canaries import ROOTS_OWN, Canaries, canaries
from workerhost.probing.inherited import Inherited, inherited
from workerhost.probing.probe_model import Json, ProbeModel
from workerhost.walls.isolation import Wall
from workerhost.walls.network_access import PORT, opened, reach
from workerhost.walls.policy import own_startup_files, policy, write_policy
from workerhost.walls.sandbox import readable_paths, wrap

_SECONDS = 60  # a busy machine starts claude in ten
_HELD = "held"
_KEY = "sk-ant-of-the-probe"

# $1 broker, $2 loopback port, $3 where the proxy is; then files that may neither be read nor
# written, after them (from "own" on) those of HOME that may not be written.
_PLAIN = r"""
reached() { echo "reached $1"; }
case $1 in
  /*) socat -u /dev/null UNIX-CONNECT:"$1" 2>/dev/null && reached "the broker" ;;
  *) socat -u /dev/null TCP:"$1",connect-timeout=3 2>/dev/null && reached "the broker" ;;
esac
socat -u /dev/null TCP:127.0.0.1:"$2",connect-timeout=3 2>/dev/null && reached "loopback"
for place in 127.0.0.1:"$2" 169.254.169.254:80 closed.invalid:443 "${1##/*}"; do
  [ -n "$place" ] || continue
  said=$(printf 'CONNECT %s HTTP/1.1\r\n\r\n' "$place" | socat -t 9 - TCP:127.0.0.1:"$3" 2>&1)
  case $said in *' 403 '*) ;; *) reached "$place through the proxy: $said" ;; esac
done
shift 3
own=
for file; do
  if [ "$file" = own ]; then own=1; continue; fi
  [ -z "$own" ] && cat "$file" >/dev/null 2>&1 && reached "$file"
  if [ -d "$file" ]; then file=$file/.cw-probe; fi
  (: >>"$file") 2>/dev/null && reached "$file"
done
(: >"$HOME/tmp/.cw-probe") && rm "$HOME/tmp/.cw-probe" && echo held
"""

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


def probe(
    home: Home,
    wall: Wall,
    settings: Settings,
    host_env: Mapping[str, str],
    claude: Path,
    broker_url: str,
) -> str:
    """What was reached, or why that could not be found out; empty when the walls hold."""
    try:
        with canaries(settings, broker_url, wall.user) as placed, inherited(wall.user) as kernels:
            found = outer(home, wall, settings, claude, placed) if wall.outer else ""
            if not found and wall.outer:
                found = outer_kernel(home, wall, kernels)
            if not found and wall.inner:
                env = agent_environment(home, settings, host_env)
                found = inner(home, wall, settings, env, claude, placed, kernels)
            return found or placed.reached() or kernels.reached()
    except (OSError, CwError, subprocess.TimeoutExpired) as error:
        said = error.line() if isinstance(error, CwError) else f"{type(error).__name__}: {error}"
        return f"the probe could not run: {said[:300]}"


def outer(home: Home, wall: Wall, settings: Settings, claude: Path, placed: Canaries) -> str:
    """Plain processes behind bubblewrap."""
    own_startup_files(home)
    give_own(home)
    closed = [str(placed.secret(one)) for one in (placed.beside, placed.outside)] + [ROOTS_OWN]
    own = [str(one) for one in home.host_owned if one.exists()]
    args = [placed.broker, str(placed.port), str(PORT), *closed, "own", *own]
    with opened(home.run / "net-probe", reach(settings, {}), wall.user) as door:
        argv = ["/bin/sh", "-c", _PLAIN, "sh", *args]
        readable = readable_paths(settings, claude, "")
        done = _behind(wrap(argv, wall=wall, home=home, readable=readable, door=door), home)
    return _judge("a process behind bubblewrap", done.stdout, done.stderr)


def _behind(argv: list[str], home: Home) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )


def outer_kernel(home: Home, wall: Wall, kernels: Inherited) -> str:
    """What the kernel lets such a process do."""
    kernel.place_roots(home)
    argv = ["/bin/sh", "-c", kernel.SCRIPT, "sh", *kernel.arguments(kernels)]
    done = _behind(wrap(argv, wall=wall, home=home), home)
    root = kernel.whose(home)
    found = _judge("a process behind bubblewrap", done.stdout, done.stderr)
    return f"a process behind bubblewrap has {root}" if root else found


def inner(
    home: Home,
    wall: Wall,
    settings: Settings,
    env: Mapping[str, str],
    claude: Path,
    placed: Canaries,
    kernels: Inherited,
) -> str:
    """claude's own tools. The outer wall lets this canary through, so that only theirs is asked."""
    own_startup_files(home)
    kernel.place_roots(home)
    room = Path(tempfile.mkdtemp(prefix="probe-", dir=home.tmp))
    give_own(home)
    inherit(room)
    secret, made = placed.secret(placed.beside), placed.beside / "by-write"
    with ProbeModel([]) as model:
        script = _SANDBOXED.format(beside=shlex.quote(str(placed.beside)), port=model.port)
        args = kernel.arguments(kernels, kernel.OF_CLAUDE)
        switches = shlex.join(["/bin/sh", "-c", kernel.SCRIPT, "sh", *args])
        model.calls = [
            ("Bash", {"command": script, "description": "Probe"}),
            ("Bash", {"command": switches, "description": "Probe"}),
            ("Read", {"file_path": str(secret)}),
            ("Write", {"file_path": str(made), "content": placed.word}),
        ]
        launch = Launch(
            claude, "sonnet", str(uuid.uuid4()), resume=False, cwd=room, env=_env(env, model)
        )
        try:
            said = _ask(home, wall, settings, launch, placed)
        finally:
            shutil.rmtree(room, ignore_errors=True)
            shutil.rmtree(transcript(home, room, "x").parent, ignore_errors=True)
            for left in (home.policy, home.system_prompt, home.ignored):
                left.unlink(missing_ok=True)
        if len(model.answers) < len(model.calls):
            return f"the probe could not run: {claude} called none of its tools: {said[-300:]}"
        root = kernel.whose(home)
        found = _judge_tools(model, placed)
        return f"claude's Bash tool has {root}" if root else found


def _ask(home: Home, wall: Wall, settings: Settings, launch: Launch, placed: Canaries) -> str:
    made = policy(home, wall, settings, "")
    # Above what the HOME's settings may say about them.
    names = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")
    write_policy(home, made | {"env": {name: launch.env[name] for name in names}})
    write_private(home.system_prompt, b"You are a probe.\n")
    told = reach(settings, launch.env)
    with opened(home.run / "net-probe", told, wall.user) if wall.outer else nullcontext() as door:
        done = subprocess.run(
            wrap(
                claude_argv(home, launch),
                wall=wall,
                home=home,
                readable=readable_paths(settings, launch.claude, ""),
                writable=(placed.beside,),
                cwd=launch.cwd,
                door=door,
            ),
            cwd=launch.cwd,
            env=environment(home, launch, wall) | OURS,
            input="Begin.",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
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
    found = (_judge("claude's Bash tool", _text(one), "") for one in (bash, switches))
    return next(filter(None, found), "")


def _judge(who: str, out: str, err: str) -> str:
    lines = out.split("\n")
    reached = [one for one in lines if one.startswith("reached ")]
    if reached:
        return f"{who} {reached[0][:300]}"
    if _HELD not in lines:
        return f"the probe could not run: {who} said {(err or out).strip()[-300:]!r}"
    return ""


def _text(answer: Json) -> str:
    content = answer.get("content", "")
    if isinstance(content, str):
        return content
    return "\n".join(str(one.get("text", "")) for one in content)
