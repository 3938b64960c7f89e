"""Whether a failed attempt may be made again (RFC 9110 section 9.2.2): pure decisions over plain values."""

from __future__ import annotations

from typing import Literal

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))

Decision = Literal["other_endpoint", "fresh_connection", "give_up"]
Processed = Literal["no", "perhaps", "yes"]
"""Whether a backend acted on a request that it did not answer: "no" is its own word (RFC 9113 section 8.7); "perhaps",
when a connection that had carried other requests ended before the first byte of an answer, for it may have been closed
for idleness as this one was on its way; else "yes"."""


def after_connect_failure(attempts: int, attempt_limit: int) -> Decision:
    """No byte was sent, so another endpoint may always be tried, within the limit."""
    return "other_endpoint" if attempts < attempt_limit else "give_up"


def after_lost_stream(
    method: bytes, attempts: int, attempt_limit: int, processed: Processed, *, body_sent: bool
) -> Decision:
    """A stream ended before the answer did.

    It is tried once more, on a connection that is new, while the request can be sent again whole: when nothing was done
    about it, or when nothing may have been and the method may be repeated.
    """
    if body_sent or attempts >= attempt_limit or processed == "yes":
        return "give_up"
    return "fresh_connection" if processed == "no" or method in IDEMPOTENT else "give_up"
