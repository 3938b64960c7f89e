"""Whole header blocks are remembered, and only for as long as the same bytes mean the same."""

from __future__ import annotations

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.block_memory import BlockMemory
from proxy.protocols.h2.decoder import Decoder
from proxy.protocols.h2.errors import Code
from tests.proxy.protocols.h2.recording import ask, client
from tests.proxy.protocols.h2.scripts import GET, OK, PLAIN_GET, greeted, headers, resets


def test_the_same_block_is_judged_once() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + headers(3, PLAIN_GET))
    assert owner.requests[1] is owner.requests[3]


def test_every_request_gets_a_head_of_its_own() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + headers(3, PLAIN_GET))
    one, other = owner.requests[1].head(True), owner.requests[3].head(True)
    one.lines.append(b"x: y")
    assert other.lines == [b"GET / HTTP/1.1", b"Host: a"]


def test_an_insertion_forgets() -> None:
    connection, owner = greeted()
    by_index = b"\x82\x86\x84\xbe"
    connection.receive(
        headers(1, GET) + headers(3, by_index) + headers(5, b"\x82\x86\x84\x41\x01b") + headers(7, by_index)
    )
    assert owner.requests[3].head(True).host_line == b"Host: a"
    assert owner.requests[7].head(True).host_line == b"Host: b"


def test_a_block_that_changes_the_table_is_not_remembered() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, GET) + headers(3, GET) + headers(5, b"\x82\x86\x84\xbf"))
    assert owner.requests[1] is not owner.requests[3]
    assert owner.requests[5].head(True).host_line == b"Host: a", "both were inserted"


def test_an_eviction_forgets() -> None:
    connection, owner = greeted()
    by_index = b"\x82\x86\x84\xbe"
    connection.receive(headers(1, GET) + headers(3, by_index))
    connection.receive(headers(5, PLAIN_GET + b"\x40\x03big\x7f\xa1\x1f" + b"v" * 4128))  # larger than the table
    assert 5 in owner.requests
    connection.receive(headers(7, by_index))
    assert owner.told("failed") == [("failed", Code.COMPRESSION_ERROR)]


def test_a_change_of_the_tables_size_forgets() -> None:
    connection, owner = greeted()
    by_index = b"\x82\x86\x84\xbe"
    connection.receive(headers(1, GET) + headers(3, by_index) + headers(5, b"\x20" + PLAIN_GET) + headers(7, by_index))
    assert owner.told("failed") == [("failed", Code.COMPRESSION_ERROR)]


def test_a_change_in_trailers_forgets_requests_too() -> None:
    connection, owner = greeted()
    by_index = b"\x82\x86\x84\xbe"
    connection.receive(headers(1, GET) + headers(3, by_index) + headers(5, PLAIN_GET, ended=False))
    connection.receive(headers(5, b"\x41\x01b"))
    assert resets(connection.take()) == [(5, Code.PROTOCOL_ERROR)], "no pseudo-header field may stand in trailers"
    connection.receive(headers(7, by_index))
    assert owner.requests[7].head(True).host_line == b"Host: b", "and yet the table has seen it"


def test_the_table_sees_blocks_of_refused_and_of_reset_streams() -> None:
    connection, owner = greeted()
    malformed = b"\x82\x86\x41\x01b"  # no :path
    connection.receive(headers(1, malformed) + headers(3, PLAIN_GET, ended=False))
    owner.streams[3].reset(Code.CANCEL)
    connection.receive(headers(3, b"\x40\x01t\x01v"))  # trailers, late
    assert resets(connection.take()) == [(1, Code.PROTOCOL_ERROR), (3, Code.CANCEL)]
    connection.receive(headers(5, b"\x82\x86\x84\xbf\xbe"))
    assert owner.requests[5].head(True).lines == [b"GET / HTTP/1.1", b"Host: b", b"t: v"]


def test_the_table_sees_answers_to_streams_that_were_given_up() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    for _ in range(2):
        ask(connection, owner)
    owner.streams[1].reset(Code.CANCEL)
    connection.receive(headers(1, OK + b"\x40\x01t\x01v") + headers(3, OK + b"\xbe"))
    assert owner.told("answered") == [("answered", 3, (b"HTTP/1.1 200 OK", b"t: v"), True)]


def test_answers_and_trailers_of_the_same_bytes_are_not_mixed_up() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    ask(connection, owner)
    ask(connection, owner)
    connection.receive(headers(1, OK, ended=False) + headers(3, OK, ended=False) + headers(1, OK))
    assert owner.told("lost") == [("lost", 1, Code.PROTOCOL_ERROR, False)], ":status in trailers"


def test_it_is_bounded_in_number_and_in_bytes() -> None:
    memory: BlockMemory[int] = BlockMemory(Decoder(1000, 10))
    for number in range(1000):
        memory.remember(b"%d" % number, number)
    memory.remember(b"x" * 10000, 1)
    assert len(memory.known) <= 128
    assert memory.recall(b"999") == 999, "the newest stays"
    assert memory.recall(b"x" * 10000) is None


def test_it_belongs_to_one_connection() -> None:
    (one, of_one), (other, of_other) = greeted(), greeted()
    one.receive(headers(1, PLAIN_GET))
    other.receive(headers(1, PLAIN_GET))
    assert of_one.requests[1] is not of_other.requests[1]
