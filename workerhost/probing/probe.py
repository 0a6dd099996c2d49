"""Do the walls hold? Plain processes behind them, and then the agent itself, are sent to canaries.

Whatever is not plainly refused counts as reached, and so does a probe that cannot run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from cw.errors import CwError
from cw.homes.layout import Home
from cw.homes.owner import give_own
from workerhost.probing import kernel
from workerhost.probing.canaries import ROOTS_OWN, Canaries, canaries
from workerhost.probing.inherited import Inherited, inherited
from workerhost.probing.judging import SECONDS, judge
from workerhost.walls.network_access import PORT, opened, reach
from workerhost.walls.room import Room
from workerhost.walls.sandbox import View, readable_paths, wrap
from workerhost.walls.startup_files import own_startup_files

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

Inner = Callable[[Canaries, Inherited], str]


def probe(room: Room, binary: Path, broker_url: str, inner: Inner | None) -> str:
    """What was reached, or why that could not be found out; empty when the walls hold. `inner`: the
    agent's own tools, asked the same where it has a sandbox of its own.
    """
    wall, settings = room.wall, room.settings
    try:
        with canaries(settings, broker_url, wall.user) as placed, inherited(wall.user) as kernels:
            found = outer(room, binary, placed) if wall.outer else ""
            if not found and wall.outer:
                found = outer_kernel(room, kernels)
            if not found and wall.inner and inner:
                found = inner(placed, kernels)
            return found or placed.reached() or kernels.reached()
    except (OSError, CwError, subprocess.TimeoutExpired) as error:
        said = error.line() if isinstance(error, CwError) else f"{type(error).__name__}: {error}"
        return f"the probe could not run: {said[:300]}"


def outer(room: Room, binary: Path, placed: Canaries) -> str:
    """Plain processes behind bubblewrap."""
    home, wall, settings = room.home, room.wall, room.settings
    own_startup_files(home)
    give_own(home)
    closed = [str(placed.secret(place)) for place in (placed.beside, placed.outside)] + [ROOTS_OWN]
    own = [str(path) for path in home.host_owned if path.exists()]
    args = [placed.broker, str(placed.port), str(PORT), *closed, "own", *own]
    with opened(home.run / "net-probe", reach(settings, {}), wall.user) as door:
        argv = ["/bin/sh", "-c", _PLAIN, "sh", *args]
        view = View(readable=readable_paths(settings, binary, ""), door=door)
        done = _behind(wrap(argv, wall, home, view), home)
    return judge("a process behind bubblewrap", done.stdout, done.stderr)


def _behind(argv: list[str], home: Home) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )


def outer_kernel(room: Room, kernels: Inherited) -> str:
    """What the kernel lets such a process do."""
    kernel.place_roots(room.home)
    argv = ["/bin/sh", "-c", kernel.SCRIPT, "sh", *kernel.arguments(kernels)]
    done = _behind(wrap(argv, room.wall, room.home), room.home)
    root = kernel.whose(room.home)
    found = judge("a process behind bubblewrap", done.stdout, done.stderr)
    return f"a process behind bubblewrap has {root}" if root else found
