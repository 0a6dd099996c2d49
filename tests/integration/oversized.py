"""What an agent makes large, endless or broken, and how its run has to end: a row each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import dedent

from cw.states import OutcomeKind

End = tuple[OutcomeKind, str]
DONE: End = (OutcomeKind.SUCCEEDED, "done")
LOG_SIZE: End = (OutcomeKind.FAILED, "log_size")
TOO_LARGE: End = (OutcomeKind.FAILED, "too_large")
NOT_JUDGED: End = (OutcomeKind.FAILED, "not_judged")


@dataclass(frozen=True)
class Made:
    """`how`: a directive of the rehearsal agent. `end`: the outcome."""

    how: str
    end: End = DONE


def python(code: str, end: End = DONE) -> Made:
    """Run with the agent's own stdout and stderr."""
    return Made(f"run {json.dumps(dedent(code))}", end)


def line(expression: str) -> Made:
    """One line in its log; the expression gives it."""
    return python(f"import json\nprint({expression})")


LOGS = {
    "log that is cut to 4 GB of nothing": python(
        """
        import contextlib, os
        with contextlib.suppress(OSError):
            os.truncate("/proc/self/fd/1", 4 << 30)
        """
    ),
    "log without an end": python("import os\nwhile True: os.write(1, b'x' * 65536)", LOG_SIZE),
    "log of empty lines": python("import os\nwhile True: os.write(1, b'\\n' * 65536)", LOG_SIZE),
    "log of tiny objects": python("import os\nwhile True: os.write(1, b'{}\\n' * 9999)", LOG_SIZE),
    "log of turns": python(
        """
        import json, os
        said = lambda n: {"type": "assistant", "message": {"id": str(n)}}
        for top in range(10**9):
            lines = (json.dumps(said(top * 1000 + n)) + "\\n" for n in range(1000))
            os.write(1, "".join(lines).encode())
        """,
        LOG_SIZE,
    ),
    "errors without an end": python("import os\nwhile True: os.write(2, b'y' * 65536)", LOG_SIZE),
}
LINES = {
    "line of 12 MB of objects": line("""'{"type":"user","a":[' + '{},' * 4_000_000 + '{}]}'"""),
    "line of 900 kB of objects": line("""'{"type":"user","a":[' + '{},' * 300_000 + '{}]}'"""),
    "line of a million brackets": line("""'{"type":"result","a":' + '[' * 1_000_000"""),
    "result of 900 kB": line(
        """json.dumps({"type": "result", "result": "\\U0001f600" * 200_000}, ensure_ascii=False)"""
    ),
    "20,000 events in a line": line(
        """json.dumps({"type": "assistant", "message": {"id": "x", "content": [
            {"type": "text", "text": "t"}] * 20_000}})"""
    ),
    "to-do of 900 kB": line(
        """json.dumps({"type": "assistant", "message": {"id": "y", "content": [
            {"type": "tool_use", "name": "TodoWrite", "input": {"todos": "x" * 900_000}}]}})"""
    ),
    "words that look like the begin of a token": line("""'eyJ' * 330_000"""),
}
FILES = {
    "claude's state is a pipe": Made("do rm -rf ~/.claude.json; mkfifo ~/.claude.json"),
    "claude's state of 2 GB": Made("do rm -rf ~/.claude.json; truncate -s 2G ~/.claude.json"),
    "claude's state is a very deep folder": python(
        """
        import os
        os.remove(os.path.expanduser("~/.claude.json"))
        os.chdir(os.path.expanduser("~"))
        os.mkdir(".claude.json")
        os.chdir(".claude.json")
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        """
    ),
    "claude's state is a device": Made("do rm -rf ~/.claude.json; ln -s /dev/zero ~/.claude.json"),
    "folder of 20,000 names": python(
        """
        import os
        folder = os.path.expanduser("~/tmp/many")
        os.mkdir(folder)
        for n in range(20_000):
            open(f"{folder}/{n}", "w").close()
        open(os.fsencode(folder) + bytes([255, 10]), "w").close()
        """
    ),
    "folders that are very deep": python(
        """
        import os
        os.chdir(os.path.expanduser("~/tmp"))
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        """
    ),
}
REST = {
    "processes without an end": python(
        """
        import os, signal, time
        begun = []
        while len(begun) < 10_000:
            try:
                begun.append(os.fork())
            except OSError:
                break
            if not begun[-1]:
                time.sleep(60)
                os._exit(0)
        for one in begun:
            os.kill(one, signal.SIGKILL)
            os.waitpid(one, 0)
        assert len(begun) < 10_000
        """
    ),
    "environment of 2 MB": python(
        """
        import os, subprocess
        large = {f"N{n}": "x" * 100_000 for n in range(15)}
        subprocess.run(["sleep", "1"], env=os.environ | large)
        """
    ),
    "300 connections that ask nothing": python(
        """
        import contextlib, socket, time
        held = []
        for _ in range(300):
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", 3129), 5))
        time.sleep(1)
        """
    ),
}
# What a clone is left with. `still`: git would wait in some of them for ever, the agent's as well.
_COMMITTED = r"""
import hashlib, os, struct, subprocess, zlib
def git(*words, **more):
    return subprocess.run(["git", *words], stdout=-1, check=True, **more).stdout.decode().strip()
def on_top(tree, words="Grow"):
    made = git("commit-tree", tree, "-p", "HEAD", input=words.encode())
    git("update-ref", "HEAD", made)
    return made
def blob(size):
    path = os.path.join(os.environ["HOME"], "tmp", "blob")
    name, out, left = hashlib.sha1(), zlib.compressobj(1), size
    with open(path, "wb") as file:
        for piece in [f"blob {size}\0".encode(), *[bytes(1 << 20)] * (size >> 20)]:
            name.update(piece)
            file.write(out.compress(piece))
        file.write(out.flush())
    place = f".git/objects/{name.hexdigest()[:2]}"
    os.makedirs(place, exist_ok=True)
    os.rename(path, f"{place}/{name.hexdigest()[2:]}")
    return name.hexdigest()
empty = git("hash-object", "-w", "--stdin", input=b"")
open("fix.txt", "w").close()
git("add", "fix.txt")
git("commit", "-q", "-m", "Fix")
"""


def clone(code: str, end: End) -> Made:
    """After a commit of its own."""
    made = python(_COMMITTED + dedent(code), end)
    return Made(f"{made.how}\nrehearse: still", end)


CLONES = {
    "index of 2.6 MB that says 440 MB": clone(
        r"""
        folder = "/".join(["d" * 200] * 60).encode() + b"/"
        fixed = struct.pack(">10I", *[0] * 6, 0o100644, 0, 0, 0) + bytes.fromhex(empty)
        fixed += struct.pack(">H", 0xFFF)
        rows = [fixed + b"\0" + folder + b"000000\0"]
        rows += [fixed + b"\6%06d\0" % n for n in range(1, 37_000)]
        data = b"".join([struct.pack(">4sII", b"DIRC", 4, len(rows)), *rows])
        open(".git/index", "wb").write(data + hashlib.sha1(data).digest())
        """,
        DONE,
    ),
    "ten million paths in 70 entries": clone(
        r"""
        sha, kind, mode = empty, "blob", "100644"
        for _ in range(7):
            rows = "".join(f"{mode} {kind} {sha}\tname-{n}\n" for n in range(10))
            sha, kind, mode = git("mktree", input=rows.encode()), "tree", "040000"
        on_top(sha)
        """,
        TOO_LARGE,
    ),
    "file of 200 MB of nothing": clone(
        r"""on_top(git("mktree", input=f"100644 blob {blob(200 << 20)}\tlarge\n".encode()))""",
        TOO_LARGE,
    ),
    "commit message of 50 MB": clone("""on_top("HEAD^{tree}", "word " * 10_000_000)""", DONE),
    "10,000 commits": clone(
        r"""
        said = "commit refs/heads/many\ncommitter A <a@example.invalid> 1 +0000\ndata 1\nx\n"
        rows = said + "from HEAD\n" + said * 9_999
        git("fast-import", "--quiet", input=rows.encode())
        git("update-ref", "HEAD", "refs/heads/many")
        """,
        DONE,
    ),
    "100,000 branches": clone(
        r"""
        head = git("rev-parse", "HEAD")
        with open(".git/packed-refs", "w") as file:
            file.write("# pack-refs with: peeled fully-peeled sorted \n")
            file.writelines(f"{head} refs/heads/b{n:07}\n" for n in range(100_000))
        """,
        DONE,
    ),
    "ignored patterns of 90 MB": clone(
        r"""
        with open(".git/info/exclude", "w") as file:
            file.writelines(f"/some/folder/{n}\n" for n in range(4_500_000))
        """,
        TOO_LARGE,
    ),
    "references are a pipe": clone("""os.mkfifo(".git/refs/heads/pipe")""", NOT_JUDGED),
    "index without an end": clone(
        r"""
        os.remove(".git/index")
        os.symlink("/dev/zero", ".git/index")
        """,
        NOT_JUDGED,
    ),
}
