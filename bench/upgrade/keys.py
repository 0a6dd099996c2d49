"""All that a Redis holds as lines of text: `TYPE KEY MILLISECONDS` (-1: for ever), and below it its
rows, their fields apart by tabs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

Rows = list[list[str]]
_INDENT = "  "


def written(client: Any) -> str:
    lines = []
    for raw in sorted(client.scan_iter(count=1000)):
        kind = client.type(raw).decode()
        lines.append(f"{kind} {_text(raw)} {client.pttl(raw)}")
        lines += [_INDENT + "\t".join(map(_text, row)) for row in _rows(client, kind, raw)]
    return "\n".join(lines) + "\n"


def read(text: str) -> Iterator[tuple[str, str, int, Rows]]:
    """Type, key, how long it has to live, and rows."""
    lines = text.rstrip("\n").split("\n")
    heads = [at for at, line in enumerate(lines) if not line.startswith(_INDENT)]
    for begin, end in pairwise([*heads, len(lines)]):
        kind, key, life = lines[begin].split(" ")
        rows = [line[len(_INDENT) :].split("\t") for line in lines[begin + 1 : end]]
        yield kind, _raw(key), int(life), [[_raw(part) for part in row] for row in rows]


def put(client: Any, kind: str, key: str, life: int, rows: Rows) -> None:
    if kind == "string":
        client.set(key, rows[0][0])
    elif kind == "hash":
        client.hset(key, mapping=dict(rows))
    elif kind == "set":
        client.sadd(key, *(row[0] for row in rows))
    elif kind == "list":
        client.rpush(key, *(row[0] for row in rows))
    elif kind == "zset":
        client.zadd(key, {row[0]: row[1] for row in rows})
    else:
        for number, *parts in rows:
            client.xadd(key, dict(zip(parts[::2], parts[1::2], strict=True)), number)
    if life > 0:
        client.pexpire(key, life)


def _rows(client: Any, kind: str, key: bytes) -> list[tuple[bytes, ...]]:
    if kind == "string":
        return [(client.get(key),)]
    if kind == "hash":
        return sorted(client.hgetall(key).items())
    if kind == "set":
        return [(one,) for one in sorted(client.smembers(key))]
    if kind == "list":
        return [(one,) for one in client.lrange(key, 0, -1)]
    if kind == "zset":
        return [(one, b"%d" % score) for one, score in client.zrange(key, 0, -1, withscores=True)]
    return [
        (number, *(part for pair in row.items() for part in pair))
        for number, row in client.xrange(key)
    ]


def _text(raw: bytes) -> str:
    return raw.decode().encode("unicode_escape").decode()


def _raw(text: str) -> str:
    return text.encode().decode("unicode_escape")
