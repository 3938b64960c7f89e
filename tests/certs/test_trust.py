"""What may be trusted, and who a certificate is for."""

from __future__ import annotations

import hashlib
import pickle
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from certs.bundle import parse_bundle
from certs.contexts import client_context, server_context
from certs.errors import CertificateError
from certs.names import Name, carries
from certs.trust import merge_trusts, parse_trust
from tests.certs.handshakes import Ends
from tests.certs.material import certificate, ec_key, pem

ROOT_KEY, MIDDLE_KEY, KEY = ec_key(), ec_key(), ec_key()
ROOT = certificate(ROOT_KEY, (), subject="root", authority=True)
MIDDLE = certificate(MIDDLE_KEY, (), subject="middle", issuer=("root", ROOT_KEY), authority=True)
LEAF = certificate(KEY, ["a.test"], issuer=("middle", MIDDLE_KEY))


def test_a_trust_is_its_certificates_and_nothing_else() -> None:
    trust = parse_trust(b"# ours\n" + ROOT + b"\n# theirs\n" + MIDDLE + ROOT)
    assert trust == parse_trust(ROOT + MIDDLE) == merge_trusts([parse_trust(ROOT), parse_trust(MIDDLE)])
    assert trust.pem == ROOT + MIDDLE
    assert trust != parse_trust(ROOT)
    assert pickle.loads(pickle.dumps(trust)) == trust


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no BEGIN CERTIFICATE line"),
        (b"rubbish", "no BEGIN CERTIFICATE line"),
        (pem(KEY), "holds a private key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be parsed"),
        (ROOT + b" " * (1 << 20), "larger than"),
    ],
)
def test_what_is_no_trust_is_said(text: bytes, words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        parse_trust(text)


@pytest.mark.parametrize("trusted", [ROOT, MIDDLE], ids=["root", "intermediate"])
def test_a_chain_may_end_in_any_trusted_certificate(trusted: bytes) -> None:
    server = server_context(parse_bundle(LEAF + MIDDLE, pem(KEY)))
    assert Ends(server, client_context(parse_trust(trusted).pem), "a.test").client.version()


def test_a_common_name_names_no_server() -> None:
    named = certificate(KEY, (), issuer=("root", ROOT_KEY), subject="a.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        Ends(server_context(parse_bundle(named, pem(KEY))), client_context(ROOT), "a.test")


def der(*names: str, uris: tuple[str, ...] = ()) -> bytes:
    return x509.load_pem_x509_certificate(certificate(KEY, names, uris=uris)).public_bytes(Encoding.DER)


CARRIED = der("a.test", "*.Wild.test", uris=("spiffe://a.test/one",))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("dns", "a.test"), True),
        (("dns", "A.test"), True),
        (("dns", "b.test"), False),
        (("dns", "x.a.test"), False),
        (("dns", "x.wild.test"), True),
        (("dns", "y.x.wild.test"), False),
        (("dns", "wild.test"), False),
        (("dns", "*.wild.test"), True),
        (("dns", "*.test"), True),
        (("dns", "*.a.test"), False),
        (("uri", "spiffe://a.test/one"), True),
        (("uri", "spiffe://a.test/On"), False),
        (("uri", "a.test"), False),
        (("dns", "spiffe://a.test/one"), False),
    ],
)
def test_which_names_a_certificate_carries(wanted: Name, found: bool) -> None:
    assert carries(CARRIED, [wanted]) is found
    assert carries(CARRIED, [("dns", "no.test"), wanted]) is found


@pytest.mark.parametrize("leaf", [b"", b"rubbish", der()], ids=["nothing", "rubbish", "nameless"])
def test_what_carries_no_names_carries_none(leaf: bytes) -> None:
    assert not carries(leaf, [("dns", "a.test"), ("uri", "spiffe://a.test/one")])


def test_the_kind_of_key_is_the_clients_to_choose() -> None:
    rsa_key = rsa.generate_private_key(65537, 2048)
    both = [
        parse_bundle(certificate(KEY, issuer=("root", ROOT_KEY)), pem(KEY)),
        parse_bundle(certificate(rsa_key, issuer=("root", ROOT_KEY)), pem(rsa_key)),
    ]
    assert [bundle.key_kind for bundle in both] == ["ecdsa", "rsa"]
    server = server_context(both[0], others=both[1:])
    for ciphers, fingerprint in (("ECDHE+ECDSA", both[0].fingerprint), ("ECDHE+aRSA", both[1].fingerprint)):
        client = client_context(ROOT)
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers(ciphers)
        shown = Ends(server, client, "a.test").client.getpeercert(True)
        assert shown is not None
        assert hashlib.sha256(shown).hexdigest() == fingerprint
