"""Bundles: what is accepted, and what is said about what is not."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat

from certs.bundle import parse_bundle
from certs.contexts import server_context
from certs.errors import CertificateError
from tests.certs.material import Key, certificate, ec_key, pem

KEY = ec_key()
LEAF = certificate(KEY, ["A.Test", "*.a.test"])
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["p256", "p384", "rsa2048", "ed25519"],
)
def test_a_certificate_with_its_key_can_be_served(key: Key) -> None:
    bundle = parse_bundle(certificate(key), pem(key))
    assert bundle.names == ("a.test",)
    server_context(bundle)


def test_what_a_bundle_tells() -> None:
    bundle = parse_bundle(certificate(KEY, ["A.Test", "*.a.test"], start=START, days=10), pem(KEY))
    assert bundle.names == ("a.test", "*.a.test")
    assert (bundle.not_before, bundle.not_after) == (int(START.timestamp()), int(START.timestamp()) + 864000)
    assert len(bundle.fingerprint) == 64
    assert pickle.loads(pickle.dumps(bundle)) == bundle
    assert b"PRIVATE" not in repr(bundle).encode()


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_both_forms_of_a_key_give_the_same_bundle(form: PrivateFormat) -> None:
    assert parse_bundle(LEAF, pem(KEY, form)) == parse_bundle(LEAF, pem(KEY))


def test_text_around_the_blocks_is_dropped() -> None:
    assert parse_bundle(b"subject=leaf\n" + LEAF + b"\nend\n", pem(KEY)) == parse_bundle(LEAF, pem(KEY))


OTHER = ec_key()
CHAIN_KEY = ec_key()
ISSUER = certificate(CHAIN_KEY, (), subject="issuer")
ISSUED = certificate(KEY, issuer=("issuer", CHAIN_KEY))


def test_a_chain_is_kept_whole() -> None:
    bundle = parse_bundle(ISSUED + ISSUER, pem(KEY))
    assert bundle.certificate_pem.count(b"BEGIN CERTIFICATE") == 2


def _named(value: object) -> str | None:
    """What a case is called by: not by PEM, which is another one in every process that collects the tests."""
    return "pem" if isinstance(value, bytes) else None


@pytest.mark.parametrize(
    ("chain", "key", "words"),
    [
        (LEAF, pem(OTHER), "the key does not match the certificate CN=leaf"),
        (ISSUER + ISSUED, pem(KEY), "put the leaf first"),
        (b"hello", pem(KEY), "not PEM"),
        (b"", pem(KEY), "not PEM"),
        (LEAF, b"hello", "the key is not PEM"),
        (pem(KEY), LEAF, "swapped"),
        (LEAF, LEAF, "swapped"),
        (LEAF, pem(KEY, password=b"secret"), "encrypted"),
        (LEAF.replace(b"MI", b"AA", 1), pem(KEY), "cannot be parsed"),
        (LEAF, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "the key cannot be parsed"),
        (LEAF, pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (LEAF, pem(ec.generate_private_key(ec.SECP256K1())), "secp256k1"),
        (LEAF, pem(dsa.generate_private_key(2048)), "of a kind"),
        (b"x" * (2 << 20), pem(KEY), "larger than"),
    ],
    ids=_named,
)
def test_what_cannot_be_served_is_refused_with_a_reason(chain: bytes, key: bytes, words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        parse_bundle(chain, key)
