"""One quick look at GitHub for somebody in the middle of typing: nothing heavy is loaded for it."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import quote

from cw.no_redirects import opener
from cw.settings import Settings

_SECONDS = 1.5
_MOST = 100


def open_issues(settings: Settings, repo: str) -> dict[int, str]:
    """Titles by number, the newest first. Raises OSError or ValueError, as it comes."""
    base = settings.github_api_url.rstrip("/")
    if not base.startswith(("https://", "http://")):
        raise ValueError(base)
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "claude-workers"}
    if settings.github_token:
        headers["Authorization"] = f"Bearer {settings.github_token}"
    request = urllib.request.Request(  # noqa: S310  looked at above
        f"{base}/repos/{quote(repo)}/issues?state=open&per_page={_MOST}", headers=headers
    )
    with opener().open(request, timeout=_SECONDS) as answer:
        rows = json.loads(answer.read())
    return {int(row["number"]): str(row["title"]) for row in rows if "pull_request" not in row}
