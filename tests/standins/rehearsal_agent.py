#!/usr/bin/env python3
"""Stands in for `claude -p`: same flags, same stream, real git work, no model and no cost.

The prompt chooses what it does, one directive per line, anywhere in the text:

    rehearse: commit-only        default: a small change, committed on the current branch
    rehearse: push               the same, then git push
    rehearse: pr                 the same, then gh pr create (needs gh and GH_TOKEN)
    rehearse: commit-error [N]   the same, then ends with an error: the API's N, or its own
    rehearse: commit-break SH    the same, then this in a shell; says that it is done
    rehearse: no-change          works, changes nothing, says so
    rehearse: still              says that it is done, and starts nothing
    rehearse: lie                says that a pull request is open, did nothing
    rehearse: blocked TEXT       reports that it needs a person, and why
    rehearse: is-error           exit status 0, but is_error in the result
    rehearse: api-error 529      ends as claude does when the API answers 529
    rehearse: usage-limit EPOCH  ends as claude does until EPOCH, works afterwards; or +SECONDS
    rehearse: hang               never comes back from a tool
    rehearse: loop COMMAND       runs it in a shell again and again, for ever
    rehearse: crash              kill -9 of itself in the middle of a tool
    rehearse: slow SECONDS       this much longer, in many small tool calls; then goes on
    rehearse: until PATH         waits until there is such a file; then goes on
    rehearse: pace SECONDS       time per pretended request (default 0.25); then goes on
    rehearse: orphan [SECONDS]   leaves a detached sleep behind; then goes on
    rehearse: echo               prompt to ~/tmp/prompt.received; then goes on
    rehearse: env                environment to ~/tmp/env.received; then goes on
    rehearse: probe PATH         tries to write PATH, says ok or failed; then goes on
    rehearse: do COMMAND         runs it in a shell; then goes on
    rehearse: say COMMAND        the same, and its report has what it printed; then goes on
    rehearse: run "CODE"         runs Python, written as a JSON string, with its own stdout and
                                 stderr, and waits for its end; then goes on
    rehearse: eat MEGABYTES      takes this much memory and keeps it; then goes on
    rehearse: last WORDS         what stands around the result line, and comes after it; then goes
                                 on. codes: a terminal's; remains: of a line without its end; open:
                                 no newline; spaces, carriage: before or after it; long MEGABYTES;
                                 twice: another one before; short: it says less than the one before;
                                 fails: an error after it; status N: exit status; linger SECONDS;
                                 deaf: with no ear for signals; takes MEGABYTES; commits SECONDS:
                                 waits, commits, ends; leaves SECONDS: a sleep that has its stdout

The word `once` after a directive keeps it from acting again in a resumed session. A resumed
session whose prompt decides nothing does what its earlier prompt asked for. Where the prompt tells
of threads of a review, who commits something says of each that it is fixed.
"""

import argparse
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

VERSION = "2.1.330"
CONTEXT_WINDOW = 1_000_000
# Tokens of each pretended request, and what claude charges per million of them.
TOKENS_IN, TOKENS_OUT = 1_000, 100
USD_IN, USD_OUT = 2.0, 10.0
TODO_TOOLS = ["TaskCreate", "TaskGet", "TaskList", "TaskUpdate"]
TOOLS = ["Task", "Bash", "Edit", "Read", "Skill", "Write"]
API_ERRORS = {
    400: "unknown",
    401: "authentication_failed",
    403: "authentication_failed",
    404: "model_not_found",
    429: "rate_limit",
    500: "server_error",
    529: "server_error",
}
THREAD = re.compile(r"^----- \S+ thread \[(\d+)\], at ", re.MULTILINE)
DIRECTIVE = re.compile(r"rehearse:[ \t]*([a-z]+(?:-[a-z]+)*)([^\n\r]*)")

Line = dict[str, Any]
BEFORE = {
    "codes": "\x1b[?25h\x1b[0m\x1b]0;claude\x07",
    "remains": '{"type":"assistant","message":{"id":"msg_1","content":[{"type":"te',
    "spaces": "   ",
    "noise": "npm warn something " * 100_000,
}
AFTER = {"codes": "\x1b[0m", "carriage": "\r", "spaces": "  ", "tail": "bye"}


class Interrupted(BaseException):
    """SIGINT arrived; not an Exception, so that no step swallows it."""


class Finished(BaseException):
    """The run is over with this result; carries the exit status."""

    def __init__(self, status: int, **result: Any) -> None:
        super().__init__(status)
        self.status = status
        self.result = result


@dataclass(frozen=True)
class Directive:
    name: str
    words: list[str]
    text: str = ""  # the rest of the line as it is

    @property
    def once(self) -> bool:
        return "once" in self.words

    def word(self, default: str) -> str:
        return next((word for word in self.words if word != "once"), default)


def directives_in(text: str) -> list[Directive]:
    lines = DIRECTIVE.findall(text)
    found = (Directive(name, _words(rest), rest.strip()) for name, rest in lines)
    return [directive for directive in found if directive.name in ACTIONS]


def _words(rest: str) -> list[str]:
    return [word for raw in rest.split() if (word := raw.strip("`'\"*,;"))]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def home() -> Path:
    return Path(os.environ["HOME"])


# --- session: what claude keeps below HOME -------------------------------------------------


@dataclass
class Session:
    id: str
    resumed: bool
    last: str | None = None

    @property
    def file(self) -> Path:
        mangled = re.sub(r"[^A-Za-z0-9]", "-", str(Path.cwd()))
        return home() / ".claude" / "projects" / mangled / f"{self.id}.jsonl"

    @property
    def todo_folder(self) -> Path:
        name = os.environ.get("CLAUDE_CODE_TASK_LIST_ID", self.id)
        return home() / ".claude" / "tasks" / name

    def open(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.file, os.O_CREAT | os.O_WRONLY, 0o600))

    def keep(self, kind: str, message: Line) -> None:
        parent, self.last = self.last, str(uuid.uuid4())
        line = {
            "parentUuid": parent,
            "type": kind,
            "message": message,
            "uuid": self.last,
            "sessionId": self.id,
            "cwd": str(Path.cwd()),
            "version": VERSION,
            "timestamp": now(),
        }
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def keep_cost(self, requests: int) -> None:
        line = {"type": "cost-state", "sessionId": self.id, "requests": requests}
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def prompts(self) -> list[str]:
        """Earlier prompts, oldest first."""
        said = [line["message"]["content"] for line in self._kept() if line["type"] == "user"]
        return [content for content in said if isinstance(content, str)]

    def requests(self) -> int:
        """Of the earlier runs, as far as they ended by themselves."""
        counts = [line["requests"] for line in self._kept() if line["type"] == "cost-state"]
        return max(counts, default=0)

    def _kept(self) -> list[Line]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]


# --- stream: the lines the host reads ------------------------------------------------------


@dataclass
class Stream:
    session: Session
    model: str
    max_turns: int | None
    max_usd: float | None = None
    started: float = field(default_factory=time.monotonic)
    pace: float = 0.25
    around: Line = field(default_factory=dict)  # of the result line
    turns: int = 0
    requests: int = 0

    def line(self, kind: str, **fields: Any) -> None:
        both = {"session_id": self.session.id, "uuid": str(uuid.uuid4())}
        print(json.dumps({"type": kind, **fields, **both}), flush=True)

    def init(self, mode: str) -> None:
        self.line(
            "system",
            subtype="init",
            cwd=str(Path.cwd()),
            tools=TOOLS + (TODO_TOOLS if todo_tools_on() else []),
            mcp_servers=[],
            model=self.model,
            permissionMode=mode,
            slash_commands=[],
            apiKeySource="ANTHROPIC_API_KEY" if os.environ.get("ANTHROPIC_API_KEY") else "none",
            claude_code_version=VERSION,
            output_style="default",
            agents=[],
            skills=[],
            plugins=[],
        )

    def assistant(self, block: Line, *, model: str | None = None, **more: Any) -> None:
        message = {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": model or self.model,
            "content": [block],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": TOKENS_IN, "output_tokens": 1},
        }
        self.line("assistant", message=message, parent_tool_use_id=None, **more)
        self.session.keep("assistant", message)

    def request(self) -> None:
        """One pretended round trip to the model."""
        if self.max_turns is not None and self.turns >= self.max_turns:
            text = f"Reached maximum number of turns ({self.max_turns})"
            ending = {"errors": [text], "terminal_reason": "max_turns"}
            raise Finished(1, subtype="error_max_turns", is_error=True, **ending)
        if self.max_usd is not None and cost(self.requests) >= self.max_usd:
            text = f"Reached maximum budget (${self.max_usd:g})"
            raise Finished(1, subtype="error_max_budget_usd", is_error=True, errors=[text])
        time.sleep(self.pace)
        self.requests += 1
        log("request", self.session.id)

    def say(self, text: str) -> None:
        self.request()
        self.assistant({"type": "text", "text": text})

    def call(self, name: str, given: Line) -> str:
        self.request()
        self.turns += 1
        call_id = f"toolu_{uuid.uuid4().hex[:24]}"
        self.assistant({"type": "tool_use", "id": call_id, "name": name, "input": given})
        return call_id

    def answer(self, call_id: str, text: str, *, is_error: bool, seen: Any) -> None:
        block = {"type": "tool_result", "tool_use_id": call_id, "content": text}
        message = {"role": "user", "content": [{**block, "is_error": is_error}]}
        shown = f"Error: {text}" if is_error else seen
        extra = {"parent_tool_use_id": None, "timestamp": now(), "tool_use_result": shown}
        self.line("user", message=message, **extra)
        self.session.keep("user", message)

    def result(self, fields: Line) -> None:
        """Cost and modelUsage are of the whole session, all else is of this run."""
        milliseconds = int((time.monotonic() - self.started) * 1000)
        so_far = self.session.requests() + self.requests
        if self.session.file.exists():
            self.session.keep_cost(so_far)
        whole = {
            "subtype": "success",
            "is_error": False,
            "api_error_status": None,
            "duration_ms": milliseconds,
            "duration_api_ms": milliseconds // 2,
            "num_turns": self.turns + 1,
            "stop_reason": "end_turn",
            "total_cost_usd": cost(so_far),
            "usage": {
                "input_tokens": TOKENS_IN * self.requests,
                "output_tokens": TOKENS_OUT * self.requests,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
            },
            "modelUsage": self._used(so_far),
            "model_usage_since_last_result": self._used(self.requests),
            "permission_denials": [],
            "terminal_reason": "completed",
        }
        self.last({**whole, **fields})

    def last(self, fields: Line) -> None:
        around = self.around
        if "long" in around:
            fields["result"] = "long " * (int(around["long"]) * 200_000)
        if "twice" in around:
            more = "" if "short" not in around else " A report of some length."
            self.line("result", **{**fields, "result": f"The first word.{more}"})
        both = {"session_id": self.session.id, "uuid": str(uuid.uuid4())}
        text = json.dumps({"type": "result", **fields, **both}, separators=(",", ":"))
        begin = "".join(BEFORE[one] for one in around if one in BEFORE)
        end = "".join(AFTER[one] for one in around if one in AFTER)
        print(f"{begin}{text}{end}", end="" if "open" in around else "\n", flush=True)
        if "fails" in around:
            errors = ["[ede_diagnostic] rehearsal interrupted"]
            failed = {"subtype": "error_during_execution", "is_error": True, "errors": errors}
            self.line("result", **{**fields, **failed, "result": None})

    def _used(self, requests: int) -> Line:
        used = {
            "inputTokens": TOKENS_IN * requests,
            "outputTokens": TOKENS_OUT * requests,
            "cacheReadInputTokens": 0,
            "cacheCreationInputTokens": 0,
            "webSearchRequests": 0,
            "costUSD": cost(requests),
            "contextWindow": CONTEXT_WINDOW,
        }
        return {self.model: used} if requests else {}


def cost(requests: int) -> float:
    return requests * (TOKENS_IN * USD_IN + TOKENS_OUT * USD_OUT) / 1_000_000


def todo_tools_on() -> bool:
    return os.environ.get("CLAUDE_CODE_ENABLE_TODO_TOOLS") == "1"


# --- tools: what the agent does to the world -----------------------------------------------


@dataclass
class Hands:
    stream: Stream
    todos: list[str] = field(default_factory=list)

    def bash(self, command: str) -> tuple[bool, str]:
        """Each command gets a session of its own, as claude's do."""
        call_id = self.stream.call("Bash", {"command": command})
        time.sleep(2 * self.stream.pace)
        child = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said = child.communicate()[0].strip()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        failed = child.returncode != 0
        text = f"Exit code {child.returncode}\n{said}" if failed else said
        seen = {"stdout": said, "stderr": "", "interrupted": False, "isImage": False}
        self.stream.answer(call_id, text, is_error=failed, seen=seen)
        return not failed, said

    def append(self, path: Path, text: str) -> None:
        call_id = self.stream.call("Write", {"file_path": str(path), "content": text})
        time.sleep(2 * self.stream.pace)
        with path.open("a", encoding="utf-8") as out:
            out.write(text)
        seen = {"type": "update", "filePath": str(path), "content": text}
        self.stream.answer(call_id, f"{path} has been updated.", is_error=False, seen=seen)

    def wait(self, seconds: float) -> None:
        """Passes time in small visible tool calls."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            call_id = self.stream.call("Bash", {"command": f"sleep {min(left, 2.0):.1f}"})
            time.sleep(min(left, 2.0))
            seen = {"stdout": "", "stderr": "", "interrupted": False, "isImage": False}
            self.stream.answer(call_id, "", is_error=False, seen=seen)

    def plan(self, *subjects: str) -> None:
        if not todo_tools_on():
            return
        for subject in subjects:
            self.todos.append(subject)
            number = str(len(self.todos))
            given = {"subject": subject, "description": subject, "activeForm": subject}
            call_id = self.stream.call("TaskCreate", given)
            self._keep_todo(number, "pending")
            text = f"Task #{number} created successfully: {subject}"
            seen = {"task": {"id": number, "subject": subject}}
            self.stream.answer(call_id, text, is_error=False, seen=seen)

    def move(self, index: int, old: str, new: str) -> None:
        if not todo_tools_on():
            return
        number = str(index)
        call_id = self.stream.call("TaskUpdate", {"taskId": number, "status": new})
        self._keep_todo(number, new)
        change = {"from": old, "to": new}
        seen = {"success": True, "taskId": number, "statusChange": change}
        self.stream.answer(call_id, f"Updated task #{number} status", is_error=False, seen=seen)

    def _keep_todo(self, number: str, status: str) -> None:
        folder = self.stream.session.todo_folder
        folder.mkdir(parents=True, exist_ok=True)
        subject = self.todos[int(number) - 1]
        todo = {
            "id": number,
            "subject": subject,
            "description": subject,
            "activeForm": subject,
            "status": status,
            "blocks": [],
            "blockedBy": [],
        }
        (folder / f"{number}.json").write_text(json.dumps(todo), encoding="utf-8")


# --- the work ------------------------------------------------------------------------------


@dataclass
class Run:
    stream: Stream
    hands: Hands
    prompt: bytes
    notes: list[str] = field(default_factory=list)
    eaten: bytes = b""

    def finish(self, text: str) -> NoReturn:
        said = " ".join([*self.notes, text])
        self.stream.say(said)
        raise Finished(0, result=said)


Action = Callable[[Run, Directive], None]


def commit_only(run: Run, _directive: Directive) -> None:
    branch = work(run)
    run.finish(committed(run, branch))


def commit_error(run: Run, directive: Directive) -> None:
    work(run)
    status = directive.word("")
    if status:
        fail_at_api(run, int(status), f"API Error: {status} rehearsed failure")
    is_error(run, directive)


def commit_break(run: Run, directive: Directive) -> None:
    branch = work(run)
    run.hands.bash(directive.text)
    run.finish(committed(run, branch))


def committed(run: Run, branch: str) -> str:
    """With an answer to each thread that it was told of."""
    threads = THREAD.findall(run.prompt.decode("utf-8", errors="replace"))
    answers = "".join(f"\n[{number}] fixed: a small change" for number in threads)
    return f"Committed a small change on {branch}." + (f"\n{answers}" if answers else "")


def push(run: Run, _directive: Directive) -> None:
    branch = work(run)
    pushed, said = run.hands.bash("git push --set-upstream origin HEAD")
    run.finish(f"Committed and pushed {branch}." if pushed else f"Could not push {branch}: {said}")


def pull_request(run: Run, _directive: Directive) -> None:
    branch = work(run)
    pushed, said = run.hands.bash("git push --set-upstream origin HEAD")
    if not pushed:
        run.finish(f"Could not push {branch}: {said}")
    body = closing_words(branch)
    command = ["gh", "pr", "create", "--title", f"Rehearse {branch}", "--body", body]
    opened, said = run.hands.bash(shlex.join([*command, "--head", branch]))
    run.finish(f"PR opened: {said}" if opened else f"Could not open a pull request: {said}")


def closing_words(branch: str) -> str:
    number = re.search(r"(\d+)$", branch)
    return f"A rehearsal.\n\nCloses #{number[1]}" if number else "A rehearsal."


def work(run: Run) -> str:
    """One small real commit; returns the branch it is on."""
    hands = run.hands
    run.stream.say("I will make one small change and commit it.")
    hands.plan("Look around", "Make the change", "Commit it")
    hands.move(1, "pending", "in_progress")
    in_git, branch = hands.bash("git branch --show-current")
    hands.bash("git status --short && git log --oneline -5" if in_git else "ls")
    hands.move(1, "in_progress", "completed")
    hands.move(2, "pending", "in_progress")
    branch = branch if in_git and branch else "work"
    path = Path.cwd() / f"REHEARSAL-{branch.replace('/', '-')}.md"
    hands.append(path, f"- {now()} rehearsed in session {run.stream.session.id}\n")
    hands.move(2, "in_progress", "completed")
    hands.move(3, "pending", "in_progress")
    name = shlex.quote(path.name)
    done, said = hands.bash(f"git add {name} && git commit -m 'Rehearse '{shlex.quote(branch)}")
    if not done:
        run.finish(f"Could not commit: {said}")
    log_commit(run.stream.session.id, branch)
    hands.move(3, "in_progress", "completed")
    return branch


def no_change(run: Run, _directive: Directive) -> None:
    run.hands.bash("git status --short && git log --oneline -5")
    run.finish("Nothing needs to change.")


def still(run: Run, _directive: Directive) -> None:
    run.finish("All done.")


def lie(run: Run, _directive: Directive) -> None:
    run.hands.bash("git status --short")
    run.finish("All done: the change is pushed and the PR is opened.")


def blocked(run: Run, directive: Directive) -> None:
    run.finish(f"BLOCKED: {' '.join(directive.words)}\n\nI looked around and stopped.")


def is_error(run: Run, _directive: Directive) -> None:
    run.stream.say("Something went wrong.")
    raise Finished(0, is_error=True, result="Something went wrong.")


def api_error(run: Run, directive: Directive) -> None:
    status = int(directive.word("529"))
    text = f"API Error: {status} rehearsed failure"
    fail_at_api(run, status, text)


def usage_limit(run: Run, directive: Directive) -> None:
    word = directive.word("0")
    resets_at = math.ceil((time.time() if word.startswith("+") else 0) + float(word))
    if time.time() >= resets_at:
        return
    log("refused", run.stream.session.id, until=resets_at)
    info = {"status": "rejected", "resetsAt": resets_at, "rateLimitType": "five_hour"}
    more = {"overageStatus": "rejected", "overageDisabledReason": "org_level_disabled"}
    run.stream.line("rate_limit_event", rate_limit_info={**info, **more, "isUsingOverage": False})
    clock = datetime.fromtimestamp(resets_at, UTC).strftime("%-I:%M%p").lower()
    fail_at_api(run, 429, f"You've hit your 5-hour limit · resets {clock} (UTC)")


def fail_at_api(run: Run, status: int, text: str) -> NoReturn:
    error = API_ERRORS.get(status, "unknown")
    run.stream.assistant({"type": "text", "text": text}, model="<synthetic>", error=error)
    ending = {"api_error_status": status, "terminal_reason": "api_error"}
    raise Finished(1, is_error=True, result=text, stop_reason="stop_sequence", **ending)


def hang(run: Run, _directive: Directive) -> None:
    run.stream.call("Bash", {"command": "sleep infinity"})
    while True:
        time.sleep(3600)


def loop(run: Run, directive: Directive) -> None:
    while True:
        run.hands.bash(directive.text)


def crash(run: Run, _directive: Directive) -> None:
    run.stream.call("Bash", {"command": "make test"})
    time.sleep(2 * run.stream.pace)
    os.kill(os.getpid(), signal.SIGKILL)


def slow(run: Run, directive: Directive) -> None:
    run.hands.wait(float(directive.word("5")))


def until(run: Run, directive: Directive) -> None:
    path = Path(directive.word("~/tmp/go")).expanduser()
    call_id = run.stream.call("Bash", {"command": f"until test -e {path}; do sleep 1; done"})
    while not path.exists():
        time.sleep(0.05)
    run.stream.answer(call_id, "", is_error=False, seen={"stdout": "", "stderr": ""})


def pace(run: Run, directive: Directive) -> None:
    run.stream.pace = float(directive.word("0.25"))


def orphan(run: Run, directive: Directive) -> None:
    """setsid and two forks: no parent, group or session ties it to us."""
    seconds = shlex.quote(directive.word("300"))
    run.hands.bash(f"(setsid sleep {seconds} </dev/null >/dev/null 2>&1 &)")


def echo(run: Run, _directive: Directive) -> None:
    received("prompt").write_bytes(run.prompt)


def env(run: Run, _directive: Directive) -> None:
    lines = (f"{name}={value}\n" for name, value in sorted(os.environ.items()))
    received("env").write_text("".join(lines), encoding="utf-8", errors="surrogateescape")


def received(name: str) -> Path:
    (home() / "tmp").mkdir(parents=True, exist_ok=True)
    return home() / "tmp" / f"{name}.received"


def probe(run: Run, directive: Directive) -> None:
    path = Path(directive.word("/probe")).expanduser()
    try:
        path.write_text("rehearsal\n", encoding="utf-8")
        run.notes.append(f"probe {path}: ok.")
    except OSError as error:
        run.notes.append(f"probe {path}: failed ({error.strerror}).")


def do(run: Run, directive: Directive) -> None:
    run.hands.bash(directive.text)


def say(run: Run, directive: Directive) -> None:
    run.notes.append(run.hands.bash(directive.text)[1])


def eat(run: Run, directive: Directive) -> None:
    run.eaten = b"x" * (int(directive.word("100")) << 20)


def last(run: Run, directive: Directive) -> None:
    words = directive.words
    for at, word in enumerate(words):
        if not word.isdigit():
            given = words[at + 1] if at + 1 < len(words) and words[at + 1].isdigit() else "0"
            run.stream.around[word] = given


def linger(run: Run) -> int | None:
    """What comes after the last word; the exit status, if it decides that."""
    around = run.stream.around
    if "deaf" in around:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "takes" in around:
        run.eaten = b"x" * (int(around["takes"]) << 20)
    if "commits" in around:
        time.sleep(int(around["commits"]))
        command = "echo late > late.txt && git add -A && git commit -qm late"
        subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, check=False)
    if "leaves" in around:
        subprocess.Popen(["sleep", around["leaves"]], start_new_session=True)
    time.sleep(int(around.get("linger", 0)))
    return int(around["status"]) if "status" in around else None


def run_code(run: Run, directive: Directive) -> None:
    code = json.loads(directive.text)
    subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, check=False)


ACTIONS: dict[str, Action] = {
    "commit-only": commit_only,
    "commit-error": commit_error,
    "commit-break": commit_break,
    "push": push,
    "pr": pull_request,
    "no-change": no_change,
    "still": still,
    "lie": lie,
    "blocked": blocked,
    "is-error": is_error,
    "api-error": api_error,
    "usage-limit": usage_limit,
    "hang": hang,
    "loop": loop,
    "crash": crash,
    "slow": slow,
    "until": until,
    "pace": pace,
    "orphan": orphan,
    "echo": echo,
    "env": env,
    "probe": probe,
    "do": do,
    "say": say,
    "eat": eat,
    "last": last,
    "run": run_code,
}
# Those that go on come first, whatever their place in the text; the first other one ends the run.
GO_ON = (
    "pace",
    "last",
    "echo",
    "env",
    "probe",
    "do",
    "say",
    "run",
    "eat",
    "orphan",
    "until",
    "slow",
)


def chosen(session: Session, text: str) -> list[Directive]:
    found = directives_in(text)
    for earlier in reversed(session.prompts() if session.resumed else []):
        if all(one.name in GO_ON for one in found):
            found += [one for one in directives_in(earlier) if one.name not in GO_ON]
    found = [one for one in found if not (one.once and session.resumed)]
    first = sorted((one for one in found if one.name in GO_ON), key=lambda d: GO_ON.index(d.name))
    return [*first, *(one for one in found if one.name not in GO_ON)]


def rehearse(run: Run, directives: list[Directive]) -> NoReturn:
    for directive in directives:
        ACTIONS[directive.name](run, directive)
    commit_only(run, Directive("commit-only", []))
    raise AssertionError


# --- the independent log for crash tests ---------------------------------------------------


@cache
def taken() -> Line:
    """Which task and fence this run began with: the host's journal, which we can only read."""
    try:
        journal = json.loads((home() / "run" / "task.json").read_bytes())
        task, run = journal["task"], journal["run"]
        told = {key: task[key] for key in ("id", "repo", "issue")}
        told |= {key: run[key] for key in ("worker", "attempt", "fence")}
        return told | {"mends": (task.get("repair") or {}).get("cause", "")}
    except (OSError, ValueError, KeyError):
        return {}


def log(event: str, session: str, **more: Any) -> None:
    path = os.environ.get("CW_REHEARSAL_LOG")
    if not path:
        return
    line = {"event": event, "pid": os.getpid(), "session": session, "cwd": str(Path.cwd())}
    line |= taken()
    text = json.dumps({**line, "at": time.time(), **more}) + "\n"
    # One write on an O_APPEND file: lines of several agents never mix.
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(out, text.encode())
    os.close(out)


def log_commit(session: str, branch: str) -> None:
    """Which one it has just made."""
    if os.environ.get("CW_REHEARSAL_LOG"):
        asked = ["git", "rev-parse", "--verify", "HEAD"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        log("commit", session, sha=found.stdout.strip(), branch=branch)


def beat(session: str) -> None:
    tick = threading.Event()
    while not tick.wait(float(os.environ.get("CW_REHEARSAL_BEAT", "1"))):
        log("beat", session)


# --- the command line ----------------------------------------------------------------------


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="claude", add_help=False, allow_abbrev=False)
    parser.add_argument("--version", "-v", action="store_true")
    parser.add_argument("--print", "-p", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--output-format", default="text")
    parser.add_argument("--model", default="opus")
    parser.add_argument("--session-id")
    parser.add_argument("--resume", "-r")
    parser.add_argument("--settings")
    parser.add_argument("--append-system-prompt-file")
    parser.add_argument("--permission-mode", default="default")
    parser.add_argument("--max-turns", type=int)
    parser.add_argument("--max-budget-usd", type=float)
    return parser.parse_known_args(argv)[0]


def refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(1)


def check(given: argparse.Namespace) -> None:
    if given.output_format == "stream-json" and not given.verbose:
        refuse("Error: When using --print, --output-format=stream-json requires --verbose")
    for name in (given.settings, given.append_system_prompt_file):
        if name and not name.lstrip().startswith("{") and not Path(name).is_file():
            refuse(f"Error: file not found: {name}")


def session_of(given: argparse.Namespace) -> Session:
    wanted = given.resume or given.session_id or str(uuid.uuid4())
    try:
        uuid.UUID(wanted)
    except ValueError:
        refuse("Error: Invalid session ID. Must be a valid UUID.")
    session = Session(id=wanted, resumed=bool(given.resume))
    if session.resumed and not session.file.exists():
        text = f"No conversation found with session ID: {wanted}"
        print(text, file=sys.stderr)
        ending = {"subtype": "error_during_execution", "is_error": True, "errors": [text]}
        Stream(session, given.model, None).result({**ending, "num_turns": 0})
        raise SystemExit(1)
    if given.session_id and not session.resumed and session.file.exists():
        refuse(f"Error: Session ID {wanted} is already in use.")
    return session


def model_name(given: str) -> str:
    names = {"sonnet": "claude-sonnet-5-5", "opus": "claude-opus-4-8", "haiku": "claude-haiku-4-5"}
    base, bracket, rest = given.partition("[")
    return names.get(base, base) + bracket + rest


def on_interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted


def on_terminate(session: str) -> Callable[[int, FrameType | None], None]:
    def end(_signum: int, _frame: FrameType | None) -> None:
        log("end", session, rc=143)
        os._exit(143)  # no result line, no clean-up: as claude

    return end


def live(given: argparse.Namespace, session: Session, prompt: bytes) -> int:
    name = model_name(given.model)
    stream = Stream(session, name, given.max_turns, given.max_budget_usd)
    run = Run(stream, Hands(stream), prompt)
    text = prompt.decode("utf-8", errors="replace")
    try:
        session.open()
        stream.init(given.permission_mode)
        directives = chosen(session, text)
        session.keep("user", {"role": "user", "content": text})
        rehearse(run, directives)
    except Finished as end:
        stream.result(end.result)
        log("said", session.id, rc=end.status, good=not end.result.get("is_error"))
        status = linger(run)
        return end.status if status is None else status
    except Interrupted:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        errors = ["[ede_diagnostic] rehearsal interrupted"]
        ending = {"subtype": "error_during_execution", "terminal_reason": "aborted_tools"}
        stream.result({**ending, "is_error": True, "errors": errors})
        return 1


def main(argv: list[str]) -> int:
    given = options(argv)
    if given.version:
        print(f"{VERSION} (Claude Code rehearsal)")
        return 0
    check(given)
    session = session_of(given)
    prompt = sys.stdin.buffer.read()
    if not prompt.strip():
        refuse("Error: Input must be provided either through stdin or as a prompt argument")
    signal.signal(signal.SIGINT, on_interrupt)
    signal.signal(signal.SIGTERM, on_terminate(session.id))
    log("start", session.id, resumed=session.resumed)
    threading.Thread(target=beat, args=(session.id,), daemon=True).start()
    status = live(given, session, prompt)
    log("end", session.id, rc=status)
    return status


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
