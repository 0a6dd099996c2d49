"""Files that hold a secret belong to one person."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.private import open_to_others
from cw.settings import load_settings


@pytest.mark.parametrize(
    ("mode", "open_"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)]
)
def test_file_is_open_when_anybody_else_may_use_it(tmp_path: Path, mode: int, open_: bool) -> None:
    path = tmp_path / "f"
    path.touch()
    path.chmod(mode)
    (tmp_path / "link").symlink_to(path)

    assert open_to_others(path) is open_
    assert not open_to_others(tmp_path / "link")
    assert not open_to_others(tmp_path / "absent")


@pytest.mark.parametrize(
    "text",
    [
        '[github]\ntoken = "ghp_x"',
        '[broker]\nurl = "redis://:pw@127.0.0.1/0"',
        'broker.url = "unix:///run/broker?password=pw"',
        'flower_password = "pw"',
    ],
)
def test_settings_with_a_secret_that_others_may_read_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text + "\n", "utf-8")
    path.chmod(0o644)

    with pytest.raises(BadInputError) as refused:
        load_settings({"CW_CONFIG": str(path)})

    assert refused.value.hint == f"chmod 600 {path}"
    path.chmod(0o600)
    assert load_settings({"CW_CONFIG": str(path)})


def test_settings_without_a_secret_may_be_read_by_anybody(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('broker.url = "redis://127.0.0.1/0"\nagent.model = "opus"\n', "utf-8")
    path.chmod(0o644)

    assert load_settings({"CW_CONFIG": str(path)})[0].model == "opus"


@pytest.mark.parametrize("given", ["CW_GITHUB_APP_ID", "CW_GITHUB_APP_KEY_FILE"])
def test_app_and_its_key_go_together(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadInputError, match="go together"):
        load_settings({"CW_CONFIG": str(tmp_path / "none"), given: "7"})


@pytest.mark.parametrize(
    "shown",
    [
        "/",
        "~/..",
        "~",
        "~/workers",
        "~/workers/01/.zshenv",
        "~/state",
        "~/state/audit",
        "~/keys",
        "~/link",
    ],
)
def test_path_that_shows_agents_what_is_private_is_refused(tmp_path: Path, shown: str) -> None:
    for name in ("workers", "state", "keys", "tools"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("workers")
    environ = {
        "HOME": str(tmp_path),
        "CW_WORKERS_ROOT": str(tmp_path / "workers"),
        "CW_STATE_DIR": str(tmp_path / "state"),
        "CW_SIGNING_KEY_FILE": str(tmp_path / "keys" / "signing.key"),
    }
    assert load_settings(environ | {"CW_SANDBOX_READ": f"/opt/x:{tmp_path}/tools"})

    with pytest.raises(BadInputError, match=r"CW_SANDBOX_READ: .* would show .* to agents"):
        load_settings(environ | {"CW_SANDBOX_READ": f"/opt/x:{shown.replace('~', str(tmp_path))}"})
