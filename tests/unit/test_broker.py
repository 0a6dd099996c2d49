"""The Celery application of this installation, whatever the person's environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.broker.app import make_app
from cw.settings import Settings


def test_celerys_own_variables_lead_nobody_to_another_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "nonsense")

    app = make_app(Settings(broker_url="redis://127.0.0.1:7/0", state_dir=tmp_path))

    assert app.connection_for_write().port == 7
    assert app.conf.result_backend is None
