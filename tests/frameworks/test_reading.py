from __future__ import annotations

import pytest

from multiserve.frameworks import Secret
from multiserve.frameworks.reading import plain_methods, secret_of


@pytest.mark.parametrize(
    ("methods", "plain"),
    [
        ({"GET", "HEAD", "OPTIONS"}, ("GET",)),
        ({"POST", "GET", "OPTIONS"}, ("GET", "POST")),
        ({"HEAD"}, ("HEAD",)),
        ({"OPTIONS"}, ("OPTIONS",)),
        (None, ()),
    ],
    ids=["of GET", "of two", "HEAD alone", "OPTIONS alone", "any"],
)
def test_methods_that_frameworks_add_are_left_out(methods, plain):
    assert plain_methods(methods) == plain


@pytest.mark.parametrize(
    ("key", "how"),
    [
        ("b24ae1f9c0d7", "set"),
        (b"b24ae1f9c0d7", "set"),
        ("django-insecure-b24ae1f9c0d7", "default"),
        ("dev", "default"),
        ("Your-Secret-Key", "default"),
        ("a development key of my own", "set"),
    ],
)
def test_a_secret_says_how_it_is_set_but_never_what_it_is(key, how):
    secret = secret_of("SECRET_KEY", key)
    assert (secret.setting, secret.how) == ("SECRET_KEY", how)
    assert len(secret.fingerprint) == 16
    assert str(key) not in repr(secret)


def test_equal_secrets_have_equal_fingerprints_whether_text_or_bytes():
    one, same, other = (secret_of("SECRET_KEY", key) for key in ("one", b"one", "other"))
    assert one.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize("key", [None, "", b""])
def test_no_secret_is_none(key):
    assert secret_of("SECRET_KEY", key) == Secret("SECRET_KEY", "none")


def test_a_secret_that_is_an_object_is_unknown():
    assert secret_of("SECRET_KEY", object()) is None
