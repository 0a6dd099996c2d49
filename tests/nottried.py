"""One line after all the others: what was not tried on this machine, and how to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_NEEDS = re.compile(r"needs (.+)")
# A word in what a test needs -> the packages of Debian and Ubuntu that bring it.
_PACKAGES = {
    "bubblewrap": "bubblewrap",
    "bwrap": "bubblewrap",
    "socat": "socat",
    "cc": "gcc libc6-dev",
    "systemd-analyze": "systemd",
    "openssl": "openssl",
    "ssh-keygen": "openssh-client",
    "gh": "gh",
    "unshare": "util-linux",
    "namespaces": "iproute2",
    "redis-server": "redis-server",
}
_ROOT = re.compile(r"\broot\b")


def not_tried(reasons: Iterable[str]) -> str:
    """`reasons`: one of each test that was skipped. Empty when there are none."""
    lacks = Counter(_lack(one) for one in reasons)
    if not lacks:
        return ""
    each = "; ".join(f"{what} ({count})" for what, count in lacks.most_common())
    words = {word for what in lacks for word in re.findall(r"[\w-]+", what)}
    packages = sorted({part for one in words & set(_PACKAGES) for part in _PACKAGES[one].split()})
    get = f"apt-get install {' '.join(packages)}, then " if packages else ""
    root = " as root" if any(_ROOT.search(one) for one in lacks) else ""
    return (
        f"Not tried: {lacks.total()} tests, for want of {each}."
        f" To try them: {get}script/test{root}; .ci/run gets all that it can and skips nothing"
    )


def _lack(reason: str) -> str:
    found = _NEEDS.search(reason)
    return (found[1] if found else reason.removeprefix("Skipped: ")).strip()
