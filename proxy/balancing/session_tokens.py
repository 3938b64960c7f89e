"""Session tokens (GEP-1619): who answered a client first, in a form that only this appliance can make and read.

A token holds the moment when its session began and a mark of the endpoint, authenticated for one rule. A mark is keyed,
so a token tells nobody an address; nothing is stored, so sessions outlive a restart and cost no memory.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256

_TIME_BYTES = 5
_MARK_BYTES = 10
_SEAL_BYTES = 15
_TOKEN_CHARACTERS = 4 * (_TIME_BYTES + _MARK_BYTES + _SEAL_BYTES) // 3  # whole groups of three bytes: no padding


class SessionTokens:
    """Makes and reads tokens with one key. Times are POSIX seconds."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """key: 32 bytes that stay secret."""
        self._key = key

    def mark(self, cluster: str, label: str) -> bytes:
        """The mark of an endpoint: the same for as long as its cluster's name and its own label are."""
        return self._digest(b"endpoint", cluster.encode(), label.encode())[:_MARK_BYTES]

    def token(self, rule: bytes, mark: bytes, began_s: int) -> bytes:
        """A token for a session of a rule; letters, digits, "-" and "_"."""
        said = began_s.to_bytes(_TIME_BYTES, "big") + mark
        return urlsafe_b64encode(said + self._seal(rule, said))

    def read(self, rule: bytes, token: bytes, now_s: int, life_s: float | None) -> tuple[bytes, int] | None:
        """(mark, second in which the session began); None for what is no token, is another rule's, or has ended.

        life_s: how long a session lasts; None is without end.
        """
        if len(token) != _TOKEN_CHARACTERS:
            return None
        try:
            raw = urlsafe_b64decode(token)
        except Error:
            return None
        said, seal = raw[: _TIME_BYTES + _MARK_BYTES], raw[_TIME_BYTES + _MARK_BYTES :]
        if not hmac.compare_digest(seal, self._seal(rule, said)):
            return None
        began_s = int.from_bytes(said[:_TIME_BYTES], "big")
        if life_s is not None and now_s >= began_s + life_s:
            return None
        return said[_TIME_BYTES:], began_s

    def _seal(self, rule: bytes, said: bytes) -> bytes:
        return self._digest(b"session", rule, said)[:_SEAL_BYTES]

    def _digest(self, *parts: bytes) -> bytes:
        """Of the parts and where each ends."""
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, framed, sha256)
