"""Certificates of an authority that only the tests know, for servers on loopback."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
# What programs look into for the authorities they trust: git, Go, requests, node, curl.
TRUST = (
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CURL_CA_BUNDLE",
)


@dataclass(frozen=True)
class Authority:
    """`folder` may be shown to agents: keys of certificates that are worth nothing elsewhere."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> Authority:
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Authority of the tests")
        made = _builder(name, name, key, datetime.now(UTC)).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        found = cls(folder, key, made.sign(key, hashes.SHA256()))
        found.file.write_bytes(_pem(found.certificate))
        return found

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def trust(self) -> dict[str, str]:
        """An environment in which programs believe it."""
        return dict.fromkeys(TRUST, str(self.file))

    def server(self, *names: str, expired: bool = False, own: bool = False) -> ssl.SSLContext:
        """For a server of these names. `own`: signed by nobody but itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        since = datetime.now(UTC) - (400 * _DAY if expired else _DAY)
        subject = _name(names[0])
        issuer = subject if own else self.certificate.subject
        made = _builder(subject, issuer, key, since).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False
        )
        signed = made.sign(key if own else self.key, hashes.SHA256())
        path = self.folder / f"server-{signed.serial_number:x}.pem"
        path.write_bytes(_pem(signed) + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


@cache
def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + 90 * _DAY)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
