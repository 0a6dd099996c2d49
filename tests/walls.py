"""Which walls tests ask for. The rehearsal agent is no claude and has no sandbox of its own."""

from cw.settings import Settings
from workerhost.walls.isolation import Wall, bubblewrap_works, choose_wall, socat_there

WALLS = not (bubblewrap_works() or socat_there())
AROUND_REHEARSAL = "outer" if WALLS else "none"  # CI has bubblewrap: `require(WALLS, ...)` says so


def outer_wall() -> Wall:
    return choose_wall(Settings(isolation=AROUND_REHEARSAL))
