"""The environment in which gh and git take the stand-in for GitHub."""

from pathlib import Path

GH_HOST = "github.localhost"  # the one host for which gh speaks plain http
WEB_URL = f"http://{GH_HOST}"
HELPER = '!f() { test "$1" = get && echo username=x-access-token && echo "password=$GH_TOKEN"; }; f'


def client_env(proxy: str, token: str, config_dir: Path) -> dict[str, str]:
    """To be laid over an environment; everything that leaves the machine ends as a leak."""
    config_dir.mkdir(parents=True, exist_ok=True)
    proxies = {name: proxy for plain in ("http_proxy", "https_proxy") for name in _cases(plain)}
    return proxies | {
        "NO_PROXY": "",
        "no_proxy": "",
        "GH_HOST": GH_HOST,
        "GH_TOKEN": token,
        "GH_CONFIG_DIR": str(config_dir),
        "GH_PROMPT_DISABLED": "1",
        "GH_NO_UPDATE_NOTIFIER": "1",
        "GH_TELEMETRY": "0",
        "DO_NOT_TRACK": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": HELPER,
    }


def _cases(name: str) -> tuple[str, str]:
    return name, name.upper()
