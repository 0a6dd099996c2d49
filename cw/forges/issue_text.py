"""What an approval of an issue is bound to."""

from __future__ import annotations

import hashlib


def text_sha256(title: str, body: str) -> str:
    """What an approval is bound to. Line ends differ between GitHub's page and its API."""
    text = f"{title}\n{body}".replace("\r\n", "\n")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
