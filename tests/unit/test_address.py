"""A broker that strangers could reach is refused, with the reason."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from cw.broker.address import broker_url, celery_url, exposed, tls_options, when_silent
from cw.errors import BadInputError
from cw.settings import Settings

GOOD = "rediss://cw:pw@broker.example:6380/0"


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("redis://broker.example", "TLS and a password are missing"),
        ("redis://:pw@broker.example", "TLS is missing"),
        ("redis://10.0.0.5:6379/0?password=pw", "TLS is missing"),
        ("rediss://broker.example", "a password is missing"),
        ("rediss://cw@broker.example", "a password is missing"),
        ("rediss://:pw@[2001:db8::1]?ssl_cert_reqs=none", "its certificate is not checked"),
        ("redis://127.0.0.1.example", "TLS and a password are missing"),
        (GOOD, ""),
        ("rediss://broker.example?password=pw", ""),
        ("redis://127.0.0.1:6379/0", ""),
        ("redis://127.7.7.7", ""),
        ("redis://localhost", ""),
        ("redis://[::1]:6379", ""),
        ("unix:///run/redis.sock", ""),
    ],
)
def test_address_says_what_is_missing(url: str, missing: str) -> None:
    assert exposed(url) == missing


def test_broker_that_is_silent_is_named_without_its_password() -> None:
    assert "is broker.example:6380 right" in when_silent("rediss://host:pw@broker.example:6380/0")
    assert "cw up" in when_silent("unix://:pw@/run/socket")


def test_exposed_broker_is_refused_unless_somebody_says_so() -> None:
    settings = Settings(broker_url="redis://broker.example")

    with pytest.raises(BadInputError, match="TLS and a password are missing"):
        broker_url(settings)
    assert broker_url(replace(settings, broker_insecure=True)) == "redis://broker.example"


def test_each_library_is_told_of_the_authority(tmp_path: Path) -> None:
    ca = tmp_path / "ca file.pem"
    ca.touch()

    url = broker_url(Settings(broker_url=GOOD, broker_ca=ca))

    assert url == f"{GOOD}?ssl_ca_certs={str(ca).replace('/', '%2F').replace(' ', '+')}"
    assert celery_url(url) == GOOD
    assert tls_options(url) == {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": True,
        "ssl_ca_certs": str(ca),
    }
    assert tls_options("redis://127.0.0.1") is None
    with pytest.raises(BadInputError, match="there is no file"):
        broker_url(Settings(broker_url=GOOD, broker_ca=tmp_path / "absent"))
