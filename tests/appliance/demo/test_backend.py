"""The demo's backend: what a client does to it is no error of ours."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
from contextlib import closing

import pytest

from appliance.demo.backend import EchoBackend
from tests.scenarios.waiting import wait_for


def test_a_client_that_breaks_off_in_its_body_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), EchoBackend(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as backend:
        with socket.create_connection(("127.0.0.1", backend.ports.http), timeout=30) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 100")  # it waits for the body by now

        def answers() -> bool:
            with closing(http.client.HTTPConnection("127.0.0.1", backend.ports.http, timeout=30)) as other:
                other.request("GET", "/")
                return other.getresponse().status == 200

        wait_for("an answer to somebody else", answers)
    assert caplog.records == []
