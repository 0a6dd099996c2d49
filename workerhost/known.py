"""The secrets that are known here: whatever leaves HOME is cleaned of them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from cw.address import broker_url
from cw.errors import CwError
from cw.settings import Settings
from workerhost.agentenv import agent_environment, own_variables
from workerhost.layout import Home
from workerhost.redact import Redactor, redactor


def redactor_for(home: Home, settings: Settings, host_env: Mapping[str, str]) -> Redactor:
    """For a worker: its own secrets, also those kept from its agent, and the host's."""
    own = {**own_variables(home), **agent_environment(home, settings, host_env)}
    with contextlib.suppress(OSError, UnicodeDecodeError):  # none is lent
        own["LENT_TOKEN"] = (home.github / "token").read_text(encoding="ascii")
    return redactor({**own, **host_secrets(settings)})


def host_secrets(settings: Settings) -> dict[str, str]:
    """What this machine logs in with, by names that say that it is secret."""
    try:
        password = unquote(urlsplit(broker_url(settings)).password or "")
    except (CwError, ValueError):
        password = ""
    return {
        "HOST_GITHUB_TOKEN": settings.github_token,
        "BROKER_PASSWORD": password,
        "FLOWER_PASSWORD": settings.flower_password,
    }
