"""Guards that are a library's behaviour: asked of it, on a small sample, in milliseconds."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from cw.address import broker_url
from cw.operations.ask import Ask
from workerhost.clones.protected import protected
from workerhost.prompts.visible import visible

if TYPE_CHECKING:
    from celery import Celery

    from cw.settings import Settings

_HIDDEN = "word<!-- hidden --><p title='hidden'>word</p><? hidden ?>"


def unguarded(app: Celery, settings: Settings) -> str:
    """The first guard that does not hold; empty when all do."""
    return next((said for check in _checks(app, settings) if (said := check())), "")


def _checks(app: Celery, settings: Settings) -> Iterator[Callable[[], str]]:
    yield lambda: json_only(app)
    yield strict_models
    yield protected_paths
    yield hidden_text
    yield lambda: verified_tls(app, settings)


def json_only(app: Celery) -> str:
    """celery 5.7 reads no more than what these name."""
    accepted = {*app.conf.accept_content, *(app.conf.result_accept_content or ())}
    return "" if accepted == {"json"} else f"Celery would read {', '.join(sorted(accepted))}"


def strict_models() -> str:
    """pydantic 2 refuses unknown fields because the model says so."""
    try:
        Ask.model_validate({"id": "0" * 32, "verb": "look", "more": 1})
    except ValidationError:
        return ""
    return "pydantic lets fields pass that nobody knows"


def protected_paths() -> str:
    """pathspec reads patterns as .gitignore does: in every folder, and the last one decides."""
    paths = ("a/CLAUDE.md", ".github/workflows/x.yml", "src/main.py")
    found = protected(paths, ("!CLAUDE.md",))
    wanted = (".github/workflows/x.yml",)
    return "" if found == wanted else f"of {paths} only {found} count as protected"


def hidden_text() -> str:
    shown = visible(_HIDDEN)
    return "" if "word" in shown and "hidden" not in shown else "hidden text reaches prompts"


def verified_tls(app: Celery, settings: Settings) -> str:
    """redis-py 8 and kombu 5.7 compare a broker's certificate, and its name, unless told not to."""
    if not broker_url(settings).startswith("rediss://"):
        return ""
    wanted = app.conf.broker_use_ssl
    required = isinstance(wanted, dict) and wanted.get("ssl_cert_reqs") in {
        ssl.CERT_REQUIRED,
        "required",
    }
    return "" if required else "the certificate of the broker would not be checked"
