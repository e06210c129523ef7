"""Which hosts a certificate is for, and how long it is kept where."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from multiserve.config.file import load_config
from multiserve.errors import ServeError
from multiserve.servers.development import certificates, mkcert
from multiserve.servers.development.certificates import cache_folder, data_folder, find_certificate, hosts_of
from multiserve.servers.development.own_authority import Authority

LOCAL = ("localhost", "127.0.0.1", "::1")


@pytest.fixture
def config(write_config):
    return lambda text='[mounts]\n"/" = "a:b"\n': load_config(write_config(text))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give the folder for certificates; there is no mkcert."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(mkcert, "find_mkcert", lambda: None)
    return tmp_path / "cache" / "multiserve" / "https"


@pytest.fixture
def data(tmp_path):
    """Give the folder for the authority."""
    return tmp_path / "data" / "multiserve" / "https"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        pytest.param('"/" = "a:b"', (), id="no host"),
        pytest.param('"api.test/v1" = "a:b"\n"api.test:81" = "a:b"', ("api.test",), id="one host"),
        pytest.param('"[::1]" = "a:b"\n"[::2]" = "a:b"', ("::2",), id="addresses"),
        pytest.param('"café.test" = "a:b"', ("xn--caf-dma.test",), id="not ASCII"),
        pytest.param('"*.shop.test" = "a:b"\n"{t}.shop.test" = "a:b()"', ("*.shop.test",), id="wildcards"),
        pytest.param('"*.localhost" = "a:b"\n"{t}.{u}.shop.test" = "a:b()"', (), id="what no browser takes"),
        pytest.param('"/" = "a:b"\n[server]\nhost = "127.0.0.2"', ("127.0.0.2",), id="another address"),
        pytest.param('"/" = "a:b"\n[server]\nhost = "bücher.invalid"', ("xn--bcher-kva.invalid",), id="a name"),
        pytest.param(f'"/" = "a:b"\n[server]\nhost = "{"ü" * 70}"', (), id="what is no name"),
    ],
)
def test_a_certificate_is_for_this_machine_and_the_hosts_of_the_table(config, text, more):
    assert hosts_of(config(f"[mounts]\n{text}\n")) == (*LOCAL, *more)


def test_a_server_on_every_network_has_the_addresses_of_the_machine_in_its_certificate(config, monkeypatch):
    monkeypatch.setattr(certificates, "addresses_for_others", {"0.0.0.0": ["198.51.100.7"]}.__getitem__)
    assert hosts_of(config('[mounts]\n"/" = "a:b"\n[server]\nhost = "0.0.0.0"\n')) == (*LOCAL, "198.51.100.7")


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        pytest.param("/var/me", "/var/me", id="set"),
        pytest.param("relative", "", id="relative, which does not count"),
        pytest.param("", "", id="empty"),
    ],
)
def test_the_folders_are_those_of_the_user(monkeypatch, value, folder):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("XDG_DATA_HOME", value)
    assert cache_folder() == Path(folder or "/home/me/.cache") / "multiserve" / "https"
    assert data_folder() == Path(folder or "/home/me/.local/share") / "multiserve" / "https"


def test_a_certificate_and_its_authority_are_kept_where_nobody_else_reads_them(config, folder, data):
    found = find_certificate(config())
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.path)
    public = data / "ca.pem"
    assert found.advice == (
        f"The browser trusts the certificate once you import {public} into it, as an authority for websites."
    )
    assert ssl.create_default_context(cafile=public).cert_store_stats()["x509_ca"] >= 1
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.iterdir())}
    assert modes == {"https": 0o700, found.path.name: 0o600}
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (data, *data.iterdir())}
    assert modes == {"https": 0o700, "authority.pem": 0o600, "ca.pem": 0o600}


def test_the_certificate_of_the_same_hosts_is_taken_again(config, folder, data):
    first = find_certificate(config())
    before = {each: each.read_bytes() for each in (*folder.iterdir(), *data.iterdir())}
    assert len(before) == 3
    assert find_certificate(config()) == first
    assert {each: each.read_bytes() for each in (*folder.iterdir(), *data.iterdir())} == before


def test_the_authority_outlives_the_cache(config, folder, data):
    path = find_certificate(config()).path
    public = (data / "ca.pem").read_bytes()
    shutil.rmtree(folder)
    assert find_certificate(config()).path == path
    assert (data / "ca.pem").read_bytes() == public


def test_other_hosts_get_a_certificate_of_the_same_authority(config, folder, data):
    first = find_certificate(config())
    public = (data / "ca.pem").read_bytes()
    assert find_certificate(config('[mounts]\n"api.test" = "a:b"\n')).path != first.path
    assert (data / "ca.pem").read_bytes() == public


def test_an_old_certificate_is_made_anew(config, folder, data):
    path = find_certificate(config()).path
    before, public = path.read_bytes(), (data / "ca.pem").read_bytes()
    old = time.time() - 61 * 86400
    os.utime(path, (old, old))
    assert find_certificate(config()).path == path
    assert path.read_bytes() != before
    assert (data / "ca.pem").read_bytes() == public


def test_an_authority_that_ends_is_made_anew(config, folder, data, monkeypatch):
    find_certificate(config())
    before = (data / "ca.pem").read_bytes()
    monkeypatch.setattr("multiserve.servers.development.own_authority._AUTHORITY_YEARS", 0)
    (data / "authority.pem").unlink()
    find_certificate(config())
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parents[1]))
    monkeypatch.setenv("XDG_DATA_HOME", str(data.parents[1]))
    monkeypatch.setattr(mkcert, "find_mkcert", lambda: None)
    short = (data / "ca.pem").read_bytes()
    find_certificate(config())
    assert len({before, short, (data / "ca.pem").read_bytes()}) == 3


def test_permissions_that_were_widened_are_taken_back(config, folder, data):
    for each in (folder, data):
        each.mkdir(parents=True, mode=0o755)
    find_certificate(config())
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, data)] == [0o700, 0o700]


@pytest.mark.parametrize("left", [0, 300], ids=["empty", "half"])
def test_a_damaged_certificate_is_made_anew(config, folder, data, left):
    path = find_certificate(config()).path
    public = (data / "ca.pem").read_bytes()
    path.write_bytes(path.read_bytes()[:left])
    assert find_certificate(config()).path == path
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
    assert (data / "ca.pem").read_bytes() == public


def with_passphrase(pem):
    key = load_pem_private_key(pem, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


@pytest.mark.parametrize("damage", [lambda pem: b"nothing", with_passphrase], ids=["no PEM", "with a passphrase"])
def test_a_broken_authority_is_a_problem(config, folder, data, damage):
    find_certificate(config())
    kept = data / "authority.pem"
    kept.write_bytes(damage(kept.read_bytes()))
    with pytest.raises(ServeError) as caught:
        find_certificate(config())
    first, hint = str(caught.value).splitlines()
    assert first.startswith(f"{kept} is not the authority that multiserve has written there: ")
    assert hint == "    Delete it, and trust the new one."


def test_a_certificate_with_a_passphrase_is_made_anew(config, folder):
    path = find_certificate(config()).path
    pem = path.read_bytes()
    path.write_bytes(with_passphrase(pem) + pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    assert find_certificate(config()).path == path
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password="")


@pytest.mark.parametrize(
    ("name", "what", "variable"),
    [
        pytest.param("cache", "the certificate", "XDG_CACHE_HOME", id="cache"),
        pytest.param("data", "the authority", "XDG_DATA_HOME", id="data"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_folder_that_cannot_be_made_is_a_problem(config, tmp_path, name, what, variable):
    (tmp_path / name).write_text("a file")
    with pytest.raises(ServeError) as caught:
        find_certificate(config())
    assert str(caught.value) == (
        f"{what} for HTTPS cannot be kept in {tmp_path / name}/multiserve/https: Not a directory\n"
        f"    Set {variable} to a folder that is yours alone."
    )


@pytest.mark.usefixtures("folder")
def test_without_anything_to_make_it_there_is_no_certificate(config, monkeypatch):
    monkeypatch.setattr(certificates.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ServeError) as caught:
        find_certificate(config())
    assert str(caught.value) == (
        "HTTPS needs a certificate, and there is nothing to make one with\n"
        '    Install mkcert, or type pip install "multiserve[https]".'
    )


def test_mkcert_comes_first_and_is_asked_again_when_its_authority_is_another(config, folder, monkeypatch):
    roots, asked, authority = [b"", b"one", b"one", b"two", b"two"], [], Authority.make()

    def issue(program, hosts, path):
        asked.append((program, hosts))
        path.write_bytes(authority.issue(hosts, 90))

    monkeypatch.setattr(mkcert, "find_mkcert", lambda: "/bin/mkcert")
    monkeypatch.setattr(mkcert, "root_certificate", lambda _: roots.pop(0))
    monkeypatch.setattr(mkcert, "issue", issue)
    found = [find_certificate(config()) for _ in range(3)]  # the first one makes the authority, too
    assert asked == [("/bin/mkcert", LOCAL)] * 2
    assert found[0] == found[1] != found[2]
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert found[0].advice == (
        'The certificate is from mkcert; if the browser warns of it, type "mkcert -install" once.'
    )
