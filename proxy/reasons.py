"""Why an exchange or a connection ended as it did: the closed set of words that access log and metrics use.

A `Refusal` of a snapshot brings its own reason; everything the data plane decides itself is one of these.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why the client got the answer it got."""

    OK = "ok"
    REDIRECTED = "redirected"
    PREFLIGHT = "preflight"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    AUTH_DENIED = "auth_denied"
    AUTH_FAILED = "auth_failed"
    BODY_TOO_LARGE = "body_too_large"
    ROUTE_NOT_FOUND = "route_not_found"
    MISDIRECTED = "misdirected"
    NO_BACKEND = "no_backend"
    BACKEND_NOT_FOUND = "backend_not_found"
    NO_ENDPOINT = "no_endpoint"
    CONNECT_FAILED = "connect_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    RETRY_BUDGET = "retry_budget"
    UPSTREAM_TLS_FAILED = "upstream_tls_failed"
    UPSTREAM_UNTRUSTED = "upstream_untrusted"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_RESET = "upstream_reset"
    UPSTREAM_PROTOCOL_ERROR = "upstream_protocol_error"
    CLIENT_CLOSED = "client_closed"
    REQUEST_TIMEOUT = "request_timeout"
    BAD_REQUEST = "bad_request"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    URI_TOO_LONG = "uri_too_long"
    HEADER_TOO_LARGE = "header_too_large"
    OVERLOADED = "overloaded"
    SHUTDOWN = "shutdown"


class Termination(StrEnum):
    """How the exchange or connection came to its end."""

    COMPLETE = "complete"
    CLIENT = "client"
    UPSTREAM = "upstream"
    TIMEOUT = "timeout"
    GATEWAY = "gateway"
