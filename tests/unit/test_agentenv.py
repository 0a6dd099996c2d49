"""An agent's environment is built, never inherited."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cw.credentials.agentenv import agent_environment, own_variables, search_path
from cw.homes.layout import Home
from cw.settings import Settings
from tests.needs import need

CANARY = "canary-that-must-not-be-seen"
HOST_SECRETS = [
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_SECRET", "DIGITALOCEAN_TOKEN"),
    *("GH_TOKEN", "GITHUB_TOKEN", "GH_HOST", "GITLAB_TOKEN", "BITBUCKET_TOKEN"),
    *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY"),
    *("CW_BROKER_URL", "CW_GITHUB_TOKEN", "CW_STATE_DIR", "CELERY_BROKER_URL", "REDIS_URL"),
    *("DATABASE_URL", "PGPASSWORD", "MYSQL_PWD", "SSH_AUTH_SOCK", "GPG_AGENT_INFO"),
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "KUBECONFIG", "DOCKER_HOST"),
    *("NPM_TOKEN", "PYPI_TOKEN", "SLACK_WEBHOOK", "STRIPE_KEY", "SENTRY_DSN", "VAULT_TOKEN"),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "GIT_SSH_COMMAND", "BASH_ENV", "NODE_OPTIONS"),
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "01")
    home.path.mkdir()
    return home


def test_forty_variables_of_the_host_never_reach_the_agent(home: Home) -> None:
    assert len(HOST_SECRETS) >= 40
    host = dict.fromkeys(HOST_SECRETS, CANARY)

    env = agent_environment(home, Settings(), host)

    assert CANARY not in "".join(env.values())
    assert not {"CW_BROKER_URL", "SSH_AUTH_SOCK", "PYTHONPATH"} & set(env)


def test_language_and_clock_are_passed(home: Home) -> None:
    env = agent_environment(home, Settings(), {"LANG": "de_DE.UTF-8", "TZ": "Europe/Berlin"})

    assert (env["LANG"], env["TZ"]) == ("de_DE.UTF-8", "Europe/Berlin")
    assert agent_environment(home, Settings(), {})["LANG"] == "C.UTF-8"


def test_named_variables_are_passed_and_no_others(home: Home) -> None:
    settings = Settings(agent_env=("HTTPS_PROXY", "LD_PRELOAD"))

    env = agent_environment(
        home, settings, {"HTTPS_PROXY": "p", "HTTP_PROXY": "q", "LD_PRELOAD": CANARY}
    )

    assert env["HTTPS_PROXY"] == "p"
    assert "HTTP_PROXY" not in env
    assert CANARY not in env.values()


def test_own_variables_win_over_passed_ones_but_not_over_the_frame(home: Home) -> None:
    home.zshenv.write_text(
        "export GH_TOKEN=mine\nexport TZ='UTC'\nexport HOME=/elsewhere\nexport USER=root\n"
        "# export ANTHROPIC_API_KEY=no\nexport EMPTY=\nexport LD_PRELOAD=/x.so\n",
        "utf-8",
    )

    env = agent_environment(home, Settings(agent_env=("GH_TOKEN",)), {"GH_TOKEN": "h", "TZ": "x"})

    assert (env["GH_TOKEN"], env["TZ"]) == ("mine", "UTC")
    assert (env["HOME"], env["USER"]) == (str(home.path), "01")
    assert not {"ANTHROPIC_API_KEY", "EMPTY", "LD_PRELOAD"} & set(env)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00", b"export A=$(touch canary)\n"])
def test_own_file_is_read_and_never_executed(home: Home, text: bytes) -> None:
    home.zshenv.write_bytes(text)

    found = own_variables(home)

    assert found in ({}, {"A": "$(touch canary)"})
    assert not (home.path / "canary").exists()


def test_profiles_and_memory_of_claude_are_where_no_agent_writes(home: Home) -> None:
    env = agent_environment(home, Settings(), {})

    assert Path(env["ANTHROPIC_CONFIG_DIR"]).parent == home.run
    assert env["CLAUDE_CODE_DISABLE_AUTO_MEMORY"] == "1"


def test_link_to_a_file_of_the_host_is_not_read(home: Home, tmp_path: Path) -> None:
    (tmp_path / "host.env").write_text("export HOST_SECRET=x\n", "utf-8")
    home.zshenv.symlink_to(tmp_path / "host.env")

    assert own_variables(home) == {}


def test_pipe_in_place_of_the_own_file_blocks_nobody(home: Home) -> None:
    os.mkfifo(home.zshenv)

    assert own_variables(home) == {}


def test_path_keeps_what_agents_can_see(home: Home) -> None:
    host = {"PATH": "/usr/local/bin:/home/me/bin:/srv/tools/bin:/opt/x/bin:/usr/local/bin:."}

    plain = search_path(Settings(), host).split(":")
    more = search_path(Settings(sandbox_read=(Path("/srv/tools"),)), host).split(":")

    assert plain[:2] == ["/usr/local/bin", "/opt/x/bin"]
    assert "/bin" in plain
    assert len(plain) == len(set(plain))
    assert not {"/home/me/bin", "/srv/tools/bin", "."} & set(plain)
    assert "/srv/tools/bin" in more


def git(env: dict[str, str], *args: str) -> str:
    done = subprocess.run(
        [need("git"), *args],
        env=env,
        cwd=env["HOME"],
        input="protocol=https\nhost=github.com\n\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_git_gives_the_token_to_github_and_to_nobody_else(home: Home) -> None:
    home.zshenv.write_text("export GH_TOKEN=secret-of-01\n", "utf-8")
    env = agent_environment(home, Settings(), {})
    elsewhere = agent_environment(home, Settings(github_url="https://ghe.example.invalid"), {})

    assert "password=secret-of-01" in git(env, "credential", "fill")
    assert "secret-of-01" not in git(elsewhere, "credential", "fill")


def test_commit_has_an_author_unless_the_worker_has_its_own(home: Home) -> None:
    assert "01" in git(agent_environment(home, Settings(), {}), "var", "GIT_AUTHOR_IDENT")
    (home.path / ".gitconfig").write_text("[user]\nname = Me\nemail = me@example.invalid\n")

    said = git(agent_environment(home, Settings(), {}), "var", "GIT_AUTHOR_IDENT")

    assert said.startswith("Me <me@example.invalid>")
