"""A scripted Messages API on loopback that drives the real claude."""

from tests.standins.messages.accounts import (
    ApiAccount,
    closed,
    closing,
    everything_served,
    failing,
)
from tests.standins.messages.scripts import Matcher, Request, Script
from tests.standins.messages.standin import MessagesStandIn
from tests.standins.messages.turns import (
    Turn,
    Usage,
    bash,
    drop,
    error,
    hang,
    limit_headers,
    read,
    slow,
    text,
    together,
    tool,
    usage_limit,
    write,
)

__all__ = [
    "ApiAccount",
    "Matcher",
    "MessagesStandIn",
    "Request",
    "Script",
    "Turn",
    "Usage",
    "bash",
    "closed",
    "closing",
    "drop",
    "error",
    "everything_served",
    "failing",
    "hang",
    "limit_headers",
    "read",
    "slow",
    "text",
    "together",
    "tool",
    "usage_limit",
    "write",
]
