"""The secrets that a host knows, in its own log as well."""

from __future__ import annotations

import logging
from pathlib import Path

from cw.credentials.known import LogRedactor
from cw.homes.home import make_home, templates_dir
from cw.settings import Settings
from workerhost.__main__ import _Clean


def line(clean: _Clean, text: str) -> str:
    """With an exception that says the same."""
    exc = (ValueError, ValueError(text), None)
    return clean.format(logging.LogRecord("x", logging.ERROR, "x.py", 1, "%s", (text,), exc))


def test_hosts_log_has_no_secret_of_any_home_whenever_it_came(tmp_path: Path) -> None:
    settings = Settings(workers_root=tmp_path, github_token="ghp-of-the-host", broker_url="x")
    clean = _Clean(LogRedactor(settings, {}))
    first, second = "correct-horse-9ZxQ", "battery-staple-7wPk"

    before = line(clean, f"{first} ghp-of-the-host")
    home = make_home(tmp_path, "01", {}, templates_dir())
    home.zshenv.write_text(f"export DB_PASSWORD={first}\nexport GIT_CONFIG_KEY_0=user.name\n")
    known = line(clean, f"{first} {second} user.name")
    other = make_home(tmp_path, "02", {}, templates_dir())
    other.zshenv.write_text(f"export DB_PASSWORD={second}\n")
    both = line(clean, f"{first} {second}")
    home.zshenv.write_text("export DB_PASSWORD=another-one-3vTy\n")
    changed = line(clean, f"another-one-3vTy {second}")
    home.github.mkdir(parents=True)
    (home.github / "token").write_text("lent-for-an-hour", "ascii")

    assert first in before
    assert "ghp-of-the-host" not in before
    assert first not in known
    assert second in known
    assert "user.name" in known
    assert "[redacted] [redacted]" in both
    assert first not in both
    assert second not in both
    assert "another-one-3vTy" not in changed
    assert "lent-for-an-hour" not in line(clean, "lent-for-an-hour")


def test_line_whose_homes_cannot_be_listed_is_written_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "workers").write_text("no folder", "utf-8")
    clean = _Clean(LogRedactor(Settings(workers_root=tmp_path / "workers", broker_url="x"), {}))

    assert "said" in line(clean, "said")
