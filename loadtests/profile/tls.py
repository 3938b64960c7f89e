"""A client's TLS around any other client end."""

from __future__ import annotations

import ssl

from loadtests.profile.end import Client
from loadtests.profile.gateway import HOST


class TlsClient:
    """Shakes hands, then speaks for `inner`. Any certificate will do: that is not what is measured."""

    def __init__(self, inner: Client, protocol: str) -> None:
        """protocol: what ALPN offers, "h2" or "http/1.1"."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        self._inner = inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)
        self._open = False

    @property
    def done(self) -> int:
        """See Client."""
        return self._inner.done

    def start(self) -> bytes:
        """The ClientHello."""
        self._shake()
        return self._outgoing.read()

    def read(self, data: bytes) -> bytes:
        """See Client."""
        self._incoming.write(data)
        if not self._open and self._shake():
            self._session.write(self._inner.start())
        if not self._open:
            return self._outgoing.read()
        plain = b"".join(iter(self._read, b""))
        if plain and (reply := self._inner.read(plain)):
            self._session.write(reply)
        return self._outgoing.read()

    def _shake(self) -> bool:
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self._open = True
        return True

    def _read(self) -> bytes:
        try:
            return self._session.read(1 << 18)
        except ssl.SSLWantReadError:
            return b""
