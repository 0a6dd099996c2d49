"""`python -m bench.upgrade COMMIT FOLDER`: what its hosts leave behind, into a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> int:
    commit, out = sys.argv[1], Path(sys.argv[2]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cwu-") as room:
        tree = Path(room) / "tree"
        tree.mkdir()
        packed = subprocess.run(
            ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
        )
        subprocess.run(["tar", "-x", "-C", str(tree)], input=packed.stdout, check=True)
        shutil.copytree(Path(__file__).parent, tree / "bench" / "upgrade", dirs_exist_ok=True)
        env = {name: text for name, text in os.environ.items() if not name.startswith("CW_")}
        command = [sys.executable, "-m", "bench.upgrade.scene", str(out)]
        done = subprocess.run(command, check=False, cwd=tree, env=env | {"PYTHONPATH": str(tree)})
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
