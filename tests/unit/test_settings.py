"""Settings: environment over file over default, and every mistake is named."""

from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.settings import SECRETS, Settings, config_path, load_settings


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"CW_CONFIG": str(tmp_path / "config.toml")}


def write(environ: dict[str, str], text: str) -> None:
    Path(environ["CW_CONFIG"]).write_text(text, "utf-8")


def test_defaults_without_anything(environ: dict[str, str]) -> None:
    settings, origin = load_settings(environ)

    assert settings == Settings()
    assert set(origin.values()) == {"default"}


def test_environment_wins_over_file_wins_over_default(environ: dict[str, str]) -> None:
    write(environ, '[agent]\nmodel = "opus"\nenv = ["A", "B"]\n[lease]\nttl = 300\n')

    settings, origin = load_settings(environ | {"CW_MODEL": "haiku"})

    assert (settings.model, origin["model"]) == ("haiku", "CW_MODEL")
    assert (settings.lease_ttl, origin["lease_ttl"]) == (300.0, environ["CW_CONFIG"])
    assert settings.agent_env == ("A", "B")
    assert origin["state_dir"] == "default"


def test_empty_variable_counts_as_unset(environ: dict[str, str]) -> None:
    assert load_settings(environ | {"CW_MODEL": ""})[0].model == "sonnet"


def test_github_token_has_its_usual_names(environ: dict[str, str]) -> None:
    settings, origin = load_settings(environ | {"GH_TOKEN": "a", "GITHUB_TOKEN": "b"})

    assert (settings.github_token, origin["github_token"]) == ("a", "GH_TOKEN")
    assert load_settings(environ | {"GITHUB_TOKEN": "b"})[0].github_token == "b"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CW_LEASE_TTL", "soon"),
        ("CW_LEASE_TTL", "-1"),
        ("CW_MAX_ATTEMPTS", "1.5"),
        ("CW_ISOLATION", "maybe"),
        ("CW_GITHUB_URL", "ftp://x"),
    ],
)
def test_value_that_does_not_fit_names_its_variable(
    environ: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(BadInputError, match=name) as caught:
        load_settings(environ | {name: value})

    assert value in caught.value.line()


@pytest.mark.parametrize("text", ["modell = 'opus'", "model = ", "[x]\ny = 1"])
def test_mistake_in_the_file_names_the_file(environ: dict[str, str], text: str) -> None:
    write(environ, text)

    with pytest.raises(BadInputError, match=r"config\.toml"):
        load_settings(environ)


def test_renewal_must_fit_into_the_lease(environ: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match=r"lease\.renew must be shorter"):
        load_settings(environ | {"CW_LEASE_TTL": "60"})


def test_run_must_have_ended_before_its_lease(environ: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match=r"lease\.margin must be longer"):
        load_settings(environ | {"CW_STOP_GRACE": "30"})


def test_place_of_the_file() -> None:
    assert config_path({"CW_CONFIG": "/a/b"}) == Path("/a/b")
    assert config_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/cw/config.toml")
    assert config_path({}) == Path("~/.config/cw/config.toml").expanduser()


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secret_may_lie_in_a_file_and_the_variable_wins(
    environ: dict[str, str], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "secret"
    path.write_text("a:from-the-file\n", "utf-8")
    told = environ | {f"CW_{name.upper()}_FILE": str(path)}

    settings, origin = load_settings(told)
    typed, _ = load_settings(told | {f"CW_{name.upper()}": "a:typed"})

    assert origin[name] == f"CW_{name.upper()}_FILE"
    assert getattr(settings, name) in {"a:from-the-file", ("a:from-the-file",)}
    assert getattr(typed, name) in {"a:typed", ("a:typed",)}


def test_empty_secret_file_counts_as_unset_and_a_missing_one_is_named(
    environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    told = environ | {"CW_BROKER_URL_FILE": str(path)}
    with pytest.raises(BadInputError, match="CW_BROKER_URL_FILE"):
        load_settings(told)
    path.write_text(" \n", "utf-8")

    settings, origin = load_settings(told)

    assert (settings.broker_url, origin["broker_url"]) == ("", "default")


def test_what_is_no_secret_is_not_read_from_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "model").write_text("opus", "utf-8")

    settings, _ = load_settings(environ | {"CW_MODEL_FILE": str(tmp_path / "model")})

    assert settings.model == "sonnet"
