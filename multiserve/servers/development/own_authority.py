"""A certificate authority for development, and the certificates that it signs, by means of cryptography."""

from __future__ import annotations

import getpass
import ipaddress
import platform
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_AUTHORITY_YEARS = 10  # as long as mkcert's: users trust it by hand
_EARLIER = timedelta(days=1)  # for machines whose clocks are behind


class Authority(NamedTuple):
    """A key, and the certificate that users trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls) -> Authority:
        """Make a new one, whose name says who has made it where: users look for it among those that they trust."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([_attribute(NameOID.COMMON_NAME, f"multiserve development ({_user()})")])
        is_authority = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(name, name, key, timedelta(days=365 * _AUTHORITY_YEARS))
        builder = builder.add_extension(is_authority, critical=True).add_extension(_usage(signs=True), critical=True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def read(cls, pem: bytes) -> Authority:
        """Read what `pem` has returned.

        Raises:
            ValueError: It is something else.
        """
        key = load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not the key of an authority")  # noqa: TRY004 (the file is wrong, not the program)
        return cls(key, x509.load_pem_x509_certificate(pem))

    def pem(self) -> bytes:
        """Return key and certificate, for a file that nobody else may read."""
        return _private(self.key) + self.public_pem()

    def public_pem(self) -> bytes:
        """Return the certificate, for those who are to trust it."""
        return self.certificate.public_bytes(Encoding.PEM)

    def is_valid_for(self, days: int) -> bool:
        """Return whether certificates may be signed that are valid for some days from now."""
        return self.certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=days)

    def issue(self, hosts: Iterable[str], days: int) -> bytes:
        """Return the key and the certificate of a server, as PEM.

        Args:
            hosts: Names and addresses of the server; a name may begin with `*.`.
            days: How long it is valid.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([_attribute(NameOID.ORGANIZATION_NAME, "multiserve development certificate")])
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = _builder(name, self.certificate.subject, key, timedelta(days=days))
        for extension, is_critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName([_alternative(host) for host in hosts]), False),
            (signer, False),
        ):
            builder = builder.add_extension(extension, critical=is_critical)
        return _private(key) + builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _user() -> str:
    try:
        return f"{getpass.getuser()}@{platform.node()}"[:32]  # a common name has 64 characters
    except (OSError, KeyError):  # a container may know no name
        return platform.node()[:32]


def _attribute(kind: x509.ObjectIdentifier, text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(kind, text)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + age)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
