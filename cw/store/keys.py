"""Every Redis key.

| key | type | holds | ends |
|---|---|---|---|
| cw:task:<id> | hash | spec and outcome as JSON, state, worker, fence, times | with the history |
| cw:prompt:<id> | string | the prompt, unchanged | with the history |
| cw:events:<id> | stream | what the agent says and does, capped | 14 days after its last event |
| cw:claim:<place>#<n> | string | task that has the issue | with the task |
| cw:open | zset | ids of tasks without an outcome, by creation | |
| cw:done | zset | ids of finished tasks, by end; trimmed | |
| cw:waiting:<worker> | zset | queued ids in order; `*` is the pool | |
| cw:leases | zset | running ids by the end of their lease | |
| cw:holds | zset | held ids by the time they may go on | |
| cw:workers, cw:hosts | set | known names | |
| cw:worker:<id>, cw:host:<name> | hash | where it lives, what it has | |
| cw:outbox:<host> | list | GitHub writes still to do, in order | |
| cw:undeliverable:<host> | hash | GitHub writes that cannot be done, by id | after a month |
| cw:notices:<host> | list | notices still to be told, in order | |
| cw:unheard:<host> | hash | notices that nobody took, by id | after a month |
| cw:reply:<id> | list | a host's answer to one question | after a minute |
| cw:finished | hash | `<place>#<n>`: the last task that finished the issue | with the history |
| cw:account:<id> | hash | name, kind, age, windows, `hold:<models>`, pace | a month unused |
| cw:repositories | hash | those that are held: `<worker or *>:<place>`, why, as JSON | |
| cw:streak:<kind>:<name> | string | failures in a row for one reason, as JSON | after a month |
| cw:pull:<place>#<n> | hash | of a pull request: JSON, state, task, revision | after its task |
| cw:pulls | zset | `<place>#<n>` of the open ones by their next look | |
| cw:pulls:ended | zset | those that were merged or closed, by end; trimmed | |
| cw:pulls:new | set | ids of finished tasks whose pull request nobody watches yet | |
| cw:lock:<name> | string | who does a pass that only one may do | after 2 minutes, or when done |
| cw:audit | hash | by host: the last line of its audit file, signed | |
| cw:nonce:<nonce> | string | what was acted on: a message, an effect | when that would expire |
| cw:nonce:<nonce>:<host> | string | a control command that this host acted on | the same |
| cw:github:page:<token>:<path> | hash | ETag and digest of a list GitHub gave | 7 days unused |
| cw:github:fact:<name> | string | what was asked once and seldom changes | by its own time |
| cw:github:budget | hash | by token: requests left and when they are renewed, as JSON | |
| cw:counts | hash | runs by outcome and reason, renewals of leases | never |
| cw:costs | hash | dollars by day of UTC (days since 1970) | never |
| cw:spent:<month> | hash | by place and unit: what runs took; `full:…`: ceilings met | 62 days |
| cw:reserved | hash | by running task: its part of shared ceilings, as JSON | with its run |
| cw:beat:* | | RedBeat's: what was sent when, and which beat sends | |
| cw:fence | counter | the last fence given | never |
| cw:aside:<ms>:<key> | as it was | what nobody could read | after 30 days |

A place is `@<id>` of a repository on GitHub, else its name; before 0.2 it was always the name.
All times are milliseconds of the server's clock.
"""

from __future__ import annotations

FENCE = "cw:fence"
OPEN = "cw:open"
DONE = "cw:done"
LEASES = "cw:leases"
HOLDS = "cw:holds"
WORKERS = "cw:workers"
HOSTS = "cw:hosts"
FINISHED = "cw:finished"
PULLS = "cw:pulls"
PULLS_ENDED = "cw:pulls:ended"
PULLS_NEW = "cw:pulls:new"
REPOSITORIES = "cw:repositories"
BEAT_LOCK = "cw:beat::lock"  # RedBeat's, of the beat that sends
GITHUB_BUDGET = "cw:github:budget"
COUNTS = "cw:counts"
COSTS = "cw:costs"
AUDIT = "cw:audit"
RESERVED = "cw:reserved"
POOL = "*"
# What each key has to be, by how its name begins; the first that fits counts.
TYPES = (
    ("cw:task:", "hash"),
    ("cw:prompt:", "string"),
    ("cw:events:", "stream"),
    ("cw:claim:", "string"),
    ("cw:waiting:", "zset"),
    ("cw:worker:", "hash"),
    ("cw:host:", "hash"),
    ("cw:outbox:", "list"),
    ("cw:undeliverable:", "hash"),
    ("cw:notices:", "list"),
    ("cw:unheard:", "hash"),
    ("cw:reply:", "list"),
    ("cw:account:", "hash"),
    ("cw:streak:", "string"),
    ("cw:lock:", "string"),
    ("cw:nonce:", "string"),
    ("cw:github:page:", "hash"),
    ("cw:github:fact:", "string"),
    (GITHUB_BUDGET, "hash"),
    (OPEN, "zset"),
    (DONE, "zset"),
    (LEASES, "zset"),
    (HOLDS, "zset"),
    (WORKERS, "set"),
    (HOSTS, "set"),
    (FINISHED, "hash"),
    (REPOSITORIES, "hash"),
    ("cw:pull:", "hash"),
    (PULLS_ENDED, "zset"),
    (PULLS_NEW, "set"),
    (PULLS, "zset"),
    (AUDIT, "hash"),
    (COUNTS, "hash"),
    (COSTS, "hash"),
    ("cw:spent:", "hash"),
    (RESERVED, "hash"),
    (FENCE, "string"),
)


def task(task_id: str) -> str:
    return f"cw:task:{task_id}"


def prompt(task_id: str) -> str:
    return f"cw:prompt:{task_id}"


def events(task_id: str) -> str:
    return f"cw:events:{task_id}"


def claim(place: str, issue: int) -> str:
    """`place`: a spec's key, `@<id>` of a repository on GitHub; before 0.2 its name."""
    return f"cw:claim:{place.lower()}#{issue}"


def waiting(worker: str | None) -> str:
    return f"cw:waiting:{worker or POOL}"


def worker(worker_id: str) -> str:
    return f"cw:worker:{worker_id}"


def host(name: str) -> str:
    return f"cw:host:{name}"


def reply(request_id: str) -> str:
    return f"cw:reply:{request_id}"


def outbox(name: str) -> str:
    return f"cw:outbox:{name}"


def undeliverable(name: str) -> str:
    return f"cw:undeliverable:{name}"


def notices(name: str) -> str:
    return f"cw:notices:{name}"


def unheard(name: str) -> str:
    return f"cw:unheard:{name}"


def issue(place: str, number: int) -> str:
    """The field of FINISHED; also the claim's key after `cw:claim:`."""
    return f"{place.lower()}#{number}"


def pull(name: str) -> str:
    """`name`: as `issue` makes it, of its place and number."""
    return f"cw:pull:{name}"


def account(account_id: str) -> str:
    return f"cw:account:{account_id}"


def spent(month: str) -> str:
    """`month`: 2026-11, of UTC."""
    return f"cw:spent:{month}"


def streak(kind: str, name: str) -> str:
    """`kind`: repository, worker or account."""
    return f"cw:streak:{kind}:{name}"


def repository_hold(place: str, worker: str) -> str:
    """The field of REPOSITORIES. No `worker`: on all."""
    return f"{worker or POOL}:{place}"


def lock(name: str) -> str:
    return f"cw:lock:{name}"


def nonce(text: str) -> str:
    return f"cw:nonce:{text}"


def aside(key: str, now_ms: int) -> str:
    return f"cw:aside:{now_ms}:{key}"


def type_of(key: str) -> str:
    """Which type it has to have; empty for a key that is not ours."""
    return next((kind for start, kind in TYPES if key.startswith(start)), "")


def github_page(key: str) -> str:
    return f"cw:github:page:{key}"


def github_fact(name: str) -> str:
    return f"cw:github:fact:{name}"
