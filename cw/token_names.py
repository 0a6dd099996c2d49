"""Under which names logins are found in environments, and which of two counts."""

from __future__ import annotations

from collections.abc import Mapping

MODEL_LOGINS = ("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN")  # either lets an agent log in
MODEL_KEYS = (*MODEL_LOGINS, "ANTHROPIC_AUTH_TOKEN")
GITHUB_LOGINS = ("GH_TOKEN", "GITHUB_TOKEN")  # the first one counts
# What gh and git take for a token.
GITHUB_TOKENS = (*GITHUB_LOGINS, "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")


def github_login(env: Mapping[str, str]) -> str:
    """The token that gh would take; empty without one."""
    return next((env[name] for name in GITHUB_LOGINS if env.get(name)), "")
