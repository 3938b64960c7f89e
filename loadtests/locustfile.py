"""Locust users for every protocol a gateway carries, pointed at any gateway.

    locust -f loadtests/locustfile.py --headless -u 50 -r 10 -t 30s --html report.html \
        --http http://127.0.0.1:8080/ --http-host app.example.com HttpUser

Name the user classes to run (HttpUser, HttpsUser, Http2User, GrpcUser, WebSocketUser, PassthroughUser, TcpUser,
UdpUser); each reads its own target, whose default is the demo's. A user whose target answers wrongly reports a failure,
never a slow success.
"""

from __future__ import annotations

from argparse import ArgumentParser

from locust import events

from loadtests.users.datagrams import UdpUser
from loadtests.users.http2 import GrpcUser, Http2User
from loadtests.users.requests import HttpsUser, HttpUser
from loadtests.users.streams import PassthroughUser, TcpUser
from loadtests.users.websockets import WebSocketUser

__all__ = [
    "GrpcUser",
    "Http2User",
    "HttpUser",
    "HttpsUser",
    "PassthroughUser",
    "TcpUser",
    "UdpUser",
    "WebSocketUser",
]


def targets(parser: ArgumentParser) -> None:
    """The options that say where the gateway is."""
    group = parser.add_argument_group("gateway")
    group.add_argument("--http", default="http://127.0.0.1:8080/", help="URL for HttpUser")
    group.add_argument("--https", default="https://127.0.0.1:8443/", help="URL for HttpsUser")
    group.add_argument("--http-host", default="", help="host, and server name inside TLS, of all HTTP users")
    group.add_argument("--http2", default="http://127.0.0.1:8080/", help="URL for Http2User; https is by ALPN")
    group.add_argument(
        "--grpc", default="http://127.0.0.1:8080/echo.Echo/Echo", help="URL of GrpcUser's method; it echoes"
    )
    group.add_argument("--grpc-message", default="", help="what GrpcUser sends, in hexadecimal, to one that does not")
    group.add_argument("--websocket", default="ws://127.0.0.1:8080/", help="URL for WebSocketUser; the backend echoes")
    group.add_argument("--passthrough", default="127.0.0.1:8081", help="HOST:PORT for PassthroughUser")
    group.add_argument("--sni", default="passthrough.example", help="server name that PassthroughUser sends")
    group.add_argument("--tcp", default="127.0.0.1:8082", help="HOST:PORT for TcpUser; the backend echoes")
    group.add_argument("--udp", default="127.0.0.1:8083", help="HOST:PORT for UdpUser; the backend echoes")


events.init_command_line_parser.add_listener(targets)  # type: ignore[no-untyped-call]
