"""The own authority: made once, kept private, its leaves verified by OpenSSL and renewed in time."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from certs.authority import Authority, renewal_due, write_private
from certs.contexts import client_context, server_context
from certs.errors import CertificateError

DAY_S = 86400


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """A handshake in memory; returns the server's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname=name),
    )
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                pass
    assert len(done) == 2
    return ends[0]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path)


@pytest.mark.parametrize("name", ["api.test", "127.0.0.1", "::1"])
def test_a_served_leaf_is_believed_by_who_trusts_the_authority(authority: Authority, name: str) -> None:
    bundle = authority.issue_server(["api.test", "127.0.0.1", "::1"])
    client = client_context(authority.ca_pem)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = shake_hands(server_context(bundle, ["http/1.1"]), client, name)
    assert server.version() == "TLSv1.3"


def test_nobody_else_believes_it(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority.open(tmp_path / "other")
    server = server_context(authority.issue_server(["api.test"]))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client_context(other.ca_pem), "api.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client_context(authority.ca_pem), "else.test")


def test_a_client_leaf_names_user_and_groups_and_serves_only_clients(authority: Authority, tmp_path: Path) -> None:
    bundle = authority.issue_client("admin", ["system:masters", "ops"])
    subject = x509.load_pem_x509_certificate(bundle.certificate_pem).subject
    assert subject.rfc4514_string() == "CN=admin,O=ops,O=system:masters"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server_context(bundle), client_context(authority.ca_pem), "admin")
    server = server_context(authority.issue_server(["api.test"]))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=authority.ca_pem.decode())
    client = client_context(authority.ca_pem)
    (tmp_path / "client.pem").write_bytes(bundle.certificate_pem + bundle.key_pem)
    client.load_cert_chain(tmp_path / "client.pem")
    peer = shake_hands(server, client, "api.test").getpeercert()
    assert peer is not None
    assert (("commonName", "admin"),) in peer["subject"]


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    first = Authority.open(tmp_path)
    first.serving_bundle()
    assert Authority.open(tmp_path).ca_pem == first.ca_pem
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["ca.crt", "ca.key", "serving.pem"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())


def test_a_key_that_was_left_without_its_certificate_is_used_again(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    key = (tmp_path / "ca.key").read_bytes()
    (tmp_path / "ca.crt").unlink()
    Authority.open(tmp_path)
    assert (tmp_path / "ca.key").read_bytes() == key


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    (tmp_path / "other").mkdir()
    Authority.open(tmp_path / "other")
    (tmp_path / "other" / "ca.key").replace(tmp_path / "ca.key")
    with pytest.raises(CertificateError, match="do not belong together"):
        Authority.open(tmp_path)


@pytest.mark.parametrize(("name", "words"), [("ca.key", "not a private key"), ("ca.crt", "not a certificate")])
def test_a_damaged_authority_is_never_replaced_silently(tmp_path: Path, name: str, words: str) -> None:
    Authority.open(tmp_path)
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(CertificateError, match=words):
        Authority.open(tmp_path)


def test_the_serving_certificate_renews_itself_at_two_thirds_of_its_life(tmp_path: Path) -> None:
    clock = Clock(1_800_000_000)
    authority = Authority.open(tmp_path, clock)
    first = authority.serving_bundle()
    clock.now += 243 * DAY_S
    assert authority.serving_bundle() == first
    clock.now += 2 * DAY_S
    assert renewal_due(first, clock.now)
    second = authority.serving_bundle()
    assert second != first
    assert second.not_after > first.not_after
    assert Authority.open(tmp_path, clock).serving_bundle() == second


def test_other_names_and_damage_make_a_new_serving_certificate(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    first = authority.serving_bundle()
    assert authority.serving_bundle(["gateway.test"]).names == ("gateway.test",)
    (tmp_path / "serving.pem").write_bytes(b"damaged")
    assert Authority.open(tmp_path).serving_bundle().names == first.names


def test_private_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_the_system_is_trusted_by_default_and_rubbish_is_refused() -> None:
    assert client_context().verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(CertificateError):
        client_context(b"rubbish")


def test_old_protocols_and_ciphers_are_off(authority: Authority) -> None:
    context = server_context(authority.issue_server(["a.test"]))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = [cipher["name"] for cipher in context.get_ciphers()]
    assert all(name.startswith(("TLS_", "ECDHE-")) for name in names)
    assert not any("CBC" in name or name.endswith("-SHA") for name in names)
