"""What the host's git is started with: pins above all configuration, and no more of the environment
than it needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from workerhost.walls.network_access import PROXIES

_FROM_ENV = ("PATH", "LANG", "TZ", "HOME")
_TRUST = ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE")
# Above every file of configuration, whoever wrote it.
# A shared repository's folders get the set-group-ID bit (git 2.39), which RestrictSUIDSGID of the
# systemd unit refuses; ours have an umask instead.
_PINS = (
    "core.sharedRepository=umask",
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null"),
    *("core.alternateRefsCommand=true", "submodule.recurse=false", "protocol.ext.allow=never"),
)
# What git starts for itself, and where it looks for configuration, whatever HOME is.
_PLAIN = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "GIT_SSH_COMMAND": "false",
    "XDG_CONFIG_HOME": os.devnull,
    "LC_ALL": "C.UTF-8",
}


def git_command(args: Sequence[str]) -> list[str]:
    return ["git", *(word for pin in _PINS for word in ("-c", pin)), *args]


def plain(env: Mapping[str, str]) -> dict[str, str]:
    """Without network and login."""
    return {name: env[name] for name in _FROM_ENV if name in env} | _PLAIN


def nameless(env: Mapping[str, str]) -> dict[str, str]:
    """The way there, and nothing that logs in; curl looks for a .netrc in HOME."""
    wanted = {"PATH", "LANG", "TZ", *_TRUST, *PROXIES}
    found = {name: value for name, value in env.items() if name in wanted}
    return found | {"HOME": "/nonexistent", "GIT_ASKPASS": "false", "SSH_ASKPASS": "false"}


def at_the_hosts(folder: Path) -> dict[str, str]:
    """For a command with the network, in a folder of the host's own."""
    env = {"LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    if (folder / "HEAD").exists():
        env["GIT_DIR"] = str(folder)
    return env | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
