#!/usr/bin/env python3
"""The program itself. What it does, its prompt says in a line of its own:

plain: work     two turns, a commit
plain: busy     its API has no room the first time; then as `work`
plain: quota N  its account is used up for N seconds the first time; then as `work`
plain: login    its API does not know it
plain: wait     one turn, then until there is a file ~/tmp/go; then as `work`
plain: trip     it gives up
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

PRICE = 0.125


def tell(*words: str) -> None:
    sys.stdout.write("\t".join(words) + "\n")
    sys.stdout.flush()


def end(how: str, turns: int, text: str) -> NoReturn:
    tell("bye", how, str(turns), str(turns * PRICE), text)
    sys.exit(how != "ok")


def sorry(kind: str, *words: str) -> NoReturn:
    tell("sorry", kind, *words)
    sys.exit(3)


def work(place: Path, before: str, own: Path, *, waits: bool) -> NoReturn:
    tell("turn", str(PRICE))
    tell("said", "I look at it first." if not before else "I go on.")
    while waits and not (Path.home() / "tmp" / "go").exists():
        time.sleep(0.05)
    tell("list", "done:Look at it", "open:Commit it")
    (own / "left").write_text("by this run", "utf-8")
    (place / "plain.txt").write_text("plainly\n", "utf-8")
    for words in (("add", "plain.txt"), ("commit", "-q", "-m", "Done plainly")):
        tell("did", f"git {words[0]}")
        subprocess.run(["git", *words], cwd=place, check=True)
    tell("turn", str(PRICE))
    tell("list", "done:Look at it", "done:Commit it")
    end("ok", 2, f"Done plainly{', at the second go' if before else ''}.")


def main(words: list[str]) -> NoReturn:
    given = dict(one.split("=", 1) for one in words[1:])
    memory, place = Path(given["remember"]), Path(given["at"])
    own = memory.parents[1]
    tell("hello", "plain 1.0", given["with"], memory.name)
    if (own / "left").exists():
        tell("said", "An earlier run left me something.")
    before = memory.read_text("utf-8") if memory.exists() else ""
    found = re.search(r"^plain: ([a-z]+) ?(\d*)", before or sys.stdin.read(), re.MULTILINE)
    task, number = (found[1], found[2]) if found else ("work", "")
    memory.write_text(f"plain: {task}", "utf-8")
    if not before and task == "busy":
        sorry("busy", "no room at the moment")
    if not before and task == "quota":
        sorry("quota", str(time.time() + int(number)), "all of it is used up")
    if task == "login":
        sorry("login", "who are you?")
    if task == "trip":
        end("bad", 0, "I do not know how")
    work(place, before, own, waits=task == "wait")


if __name__ == "__main__":
    main(sys.argv[1:])
