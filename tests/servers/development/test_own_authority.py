"""Certificates that multiserve signs itself, read back by cryptography and believed by the standard library."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from multiserve.servers.development.own_authority import Authority

AUTHORITY = Authority.make()


@pytest.fixture
def shake_hands(tmp_path):
    """Make a handshake between a server with a certificate and a client that trusts the authority."""

    def shake_hands(pem, name):
        path = tmp_path / "server.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        client = ssl.create_default_context(cadata=AUTHORITY.public_pem().decode())
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        ours, theirs = socket.socketpair()
        failures = []

        def serve():
            try:
                context.wrap_socket(theirs, server_side=True).close()
            except OSError as error:
                failures.append(error)

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            client.wrap_socket(ours, server_hostname=name).close()
        finally:
            ours.close()
            serving.join()
            theirs.close()

    return shake_hands


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "api.example.com", "a.shop.example"])
def test_clients_that_trust_the_authority_trust_its_certificates(shake_hands, name):
    hosts = ["localhost", "127.0.0.1", "::1", "api.example.com", "*.shop.example"]
    shake_hands(AUTHORITY.issue(hosts, 90), name)


def test_a_certificate_is_for_its_hosts_alone(shake_hands):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(AUTHORITY.issue(["localhost"], 90), "example.com")


def test_an_authority_signs_no_other_authority_and_is_named():
    certificate = AUTHORITY.certificate
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (True, 0, True)
    assert certificate.subject.rfc4514_string().startswith("CN=multiserve development (")


def test_a_certificate_is_valid_for_as_long_as_it_was_asked_for():
    certificate = x509.load_pem_x509_certificate(AUTHORITY.issue(["localhost"], 90))
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)


def test_an_authority_is_kept_as_text_and_read_again():
    again = Authority.read(AUTHORITY.pem())
    assert again.public_pem() == AUTHORITY.public_pem()
    assert again.key.private_numbers() == AUTHORITY.key.private_numbers()


@pytest.mark.parametrize("pem", [b"", b"nothing", AUTHORITY.public_pem()], ids=["empty", "text", "no key"])
def test_what_is_no_authority_is_refused(pem):
    with pytest.raises(ValueError, match=r"."):
        Authority.read(pem)


def test_an_authority_ends_after_ten_years():
    assert AUTHORITY.is_valid_for(3649)
    assert not AUTHORITY.is_valid_for(3651)
