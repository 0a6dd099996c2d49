"""Who may look at Flower: one user, with a password that is generated once."""

from __future__ import annotations

import secrets

from cw.homes.files import write_private
from cw.services.catalog import flower_password_file
from cw.settings import Settings

USER = "cw"


def password(settings: Settings) -> str:
    """The configured one, else one generated once; a person may change the file."""
    if settings.flower_password:
        return settings.flower_password
    path = flower_password_file(settings)
    try:
        kept = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        kept = ""
    if not kept:
        kept = secrets.token_urlsafe(24)
        write_private(path, kept.encode())
    return kept
