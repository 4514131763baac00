"""A throw-away certificate authority for the test bench: serving and client certificates, service account keys.

EC P-256 keys, because ten of them take ten milliseconds. Everything lies in one folder that only its owner can read.
"""

import base64
import datetime
import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=2)
CLOCK_SKEW = datetime.timedelta(minutes=5)


class Authority:
    """Issues certificates into `folder` as `<name>.crt` and `<name>.key` (PEM); its own is `ca.crt`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name("headway-test-authority", ())
        certificate = (
            _begin(self._subject, self._subject, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self._write("ca.crt", certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def certificate(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "ca.crt"

    def issue_server(self, name: str, addresses: Sequence[str], host_names: Sequence[str] = ()) -> None:
        """A serving certificate for these addresses and names."""
        alternatives = [
            *(x509.DNSName(host) for host in host_names),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
        ]
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _begin(_name(name, ()), self._subject, key).add_extension(
            x509.SubjectAlternativeName(alternatives), critical=False
        )
        self._finish(name, builder, key, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_client(self, name: str, user: str, groups: Sequence[str] = ()) -> None:
        """A client certificate: Kubernetes reads the user from its common name, groups from its organizations."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _begin(_name(user, groups), self._subject, key)
        self._finish(name, builder, key, ExtendedKeyUsageOID.CLIENT_AUTH)

    def issue_signing_keys(self, name: str) -> None:
        """A bare key pair, `<name>.key` and `<name>.pub`, such as service account tokens are signed with."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._write_key(name, key)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        self._write(f"{name}.pub", key.public_key().public_bytes(serialization.Encoding.PEM, form))

    def kubeconfig(self, name: str, server: str) -> Path:
        """Writes `<name>.kubeconfig` for the client certificate of that name."""

        def encoded(file: str) -> str:
            return base64.b64encode((self.folder / file).read_bytes()).decode()

        user = {
            "client-certificate-data": encoded(f"{name}.crt"),
            "client-key-data": encoded(f"{name}.key"),
        }
        cluster = {"server": server, "certificate-authority-data": encoded("ca.crt")}
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        return self._write(f"{name}.kubeconfig", json.dumps(document).encode())

    def _finish(
        self,
        name: str,
        builder: x509.CertificateBuilder,
        key: ec.EllipticCurvePrivateKey,
        usage: x509.ObjectIdentifier,
    ) -> None:
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._write_key(name, key)
        self._write(f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))

    def _write_key(self, name: str, key: ec.EllipticCurvePrivateKey) -> None:
        self._write(
            f"{name}.key",
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path


def _name(common_name: str, organizations: Sequence[str]) -> x509.Name:
    return x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _begin(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )
