"""`python -m cw.services.acl`: users for a broker of your own, each with what it needs and no more.

Written as deploy/redis/users.acl, with a word for each password to be replaced. A signature keeps
strangers' words from being believed; these keep one leaked password from reading and deleting all.
"""

from __future__ import annotations

import sys

from cw.names import FLEET_QUEUE, POOL_QUEUE, host_queue, worker_queue

OPERATOR = "operator"
_RECORDS = "cw:*"
_BINDINGS = "_kombu.binding*"
_UNACKED = "unacked*"  # and unacked_index, unacked_mutex
_MAILBOXES = "*.celery.pidbox*"  # of hosts, and for replies to whoever asked them
_LISTENERS = "celeryev*"
# A queue with another priority has it behind its name.
_QUEUES = (f"{FLEET_QUEUE}*", f"{POOL_QUEUE}*", f"{worker_queue('')}*", f"{host_queue('')}*")
_EVENTS = "/0.celeryev/*"  # whoever subscribes to a pattern must have it to the letter
_CONTROL = "/0.celery.pidbox"
# Reading, writing, waiting, transactions, what every client says first, scripts that it brings
# along; then without all that is for administrators.
_GIVEN = (
    "+@read +@write +@blocking +@connection +@transaction +@pubsub"
    " +eval +evalsha +script|load +script|exists"
    " -@admin -@dangerous +info +time"
)
# No key stands in these, so no pattern holds them back: they tell the names and the number of all
# keys and channels, lead to another database, or leave code at the server.
_TAKEN = (
    "-scan -randomkey -dbsize -pubsub -client|tracking -select -move -copy"
    " -function -fcall -fcall_ro"
)
_COMMANDS = f"-@all {_GIVEN} {_TAKEN}"

USERS = {
    "dispatcher": (
        f"~{_RECORDS}",
        f"~{_BINDINGS}",
        *(f"%W~{queue}" for queue in _QUEUES),
        f"&{_EVENTS}",
    ),
    "host": (
        f"~{_RECORDS}",
        f"~{_BINDINGS}",
        f"~{_UNACKED}",
        *(f"~{queue}" for queue in _QUEUES),
        f"~{_MAILBOXES}",
        f"&{_EVENTS}",
        f"&{_CONTROL}",
    ),
    "flower": (
        f"~{_RECORDS}",  # its buttons end tasks
        f"~{_BINDINGS}",
        f"~{_UNACKED}",
        *(f"~{queue}" for queue in _QUEUES),  # to count and to ask
        f"~{_MAILBOXES}",
        f"~{_LISTENERS}",
        f"&{_EVENTS}",
        f"&{_CONTROL}",
    ),
}


def password_word(user: str) -> str:
    """What stands where a password belongs."""
    return f"{user.upper()}_PASSWORD"


def users_acl() -> str:
    """An ACL file takes neither comments nor empty lines."""
    # Nobody can be this user, but Redis itself reads its append-only file as it, and leaves out
    # every transaction with a command that it is not allowed.
    lines = ["user default off resetpass ~* &* +@all"]
    lines += [
        f"user {name} on >{password_word(name)} resetkeys resetchannels"
        f" {' '.join(where)} {_COMMANDS}"
        for name, where in USERS.items()
    ]
    lines.append(f"user {OPERATOR} on >{password_word(OPERATOR)} ~* &* +@all")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(users_acl())
