"""Who gets in where clients are asked for certificates, and that no ticket goes round the question."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from certs.authority import Authority
from certs.bundle import Bundle
from certs.contexts import client_context, server_context
from certs.trust import Trust, merge_trusts, parse_trust
from tests.certs.handshakes import Ends


class Parties:
    """An authority that is trusted and one that is not, with clients of both."""

    def __init__(self, folder: Path) -> None:
        for name in ("own", "other"):
            (folder / name).mkdir()
        self.own, self.other = Authority.open(folder / "own"), Authority.open(folder / "other")
        self.trust = parse_trust(self.own.ca_pem)
        self.bundle = self.own.issue_server(["api.test"])
        self.known, self.stranger = self.own.issue_client("known"), self.other.issue_client("stranger")

    def server(self, trust: Trust | None, *, lenient: bool = False) -> ssl.SSLContext:
        return server_context(self.bundle, clients=trust, lenient=lenient)

    def client(self, certificate: Bundle | None) -> ssl.SSLContext:
        return client_context(self.own.ca_pem, certificate=certificate)


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    return Parties(tmp_path)


def test_only_who_is_vouched_for_gets_in(parties: Parties) -> None:
    server = parties.server(parties.trust)
    assert Ends(server, parties.client(parties.known), "api.test").server.getpeercert(True) is not None
    for certificate in (None, parties.stranger):
        with pytest.raises(ssl.SSLError, match="certificate"):
            Ends(server, parties.client(certificate), "api.test")


def test_leniency_asks_and_lets_everybody_in(parties: Parties) -> None:
    server = parties.server(parties.trust, lenient=True)
    shown = [
        Ends(server, parties.client(certificate), "api.test").server.getpeercert(True) is not None
        for certificate in (None, parties.stranger, parties.known)
    ]
    assert shown == [False, True, True]


def test_several_authorities_vouch_together(parties: Parties) -> None:
    server = parties.server(merge_trusts([parties.trust, parse_trust(parties.other.ca_pem), parties.trust]))
    for certificate in (parties.known, parties.stranger):
        assert Ends(server, parties.client(certificate), "api.test").server.getpeercert(True)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_ticket_goes_round_no_question(parties: Parties, version: ssl.TLSVersion) -> None:
    """Tickets of a listener that asks for nothing, or for less, are worth nothing where more is asked."""
    client = parties.client(None)
    client.maximum_version = client.minimum_version = version
    lax = parties.server(None)
    ticket = Ends(lax, client, "api.test").ticket()
    assert Ends(lax, client, "api.test", ticket).client.session_reused, "the ticket is none, and proves nothing"
    for server in (parties.server(parties.trust), parties.server(parse_trust(parties.other.ca_pem))):
        with pytest.raises(ssl.SSLError, match="certificate"):
            Ends(server, client, "api.test", ticket)
    other = Ends(parties.server(parties.trust, lenient=True), client, "api.test", ticket)
    assert not other.client.session_reused


def test_a_backend_is_shown_the_certificate_that_it_asks_for(parties: Parties) -> None:
    ends = Ends(parties.server(parties.trust), parties.client(parties.known), "api.test")
    shown = ends.server.getpeercert()
    assert shown is not None
    assert (("commonName", "known"),) in shown["subject"]
