"""Handshakes in memory."""

from __future__ import annotations

import ssl


class Ends:
    """Both sides of a connection that has shaken hands. Raises what the first of them raised."""

    def __init__(
        self, server: ssl.SSLContext, client: ssl.SSLContext, name: str, session: ssl.SSLSession | None = None
    ) -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(to_server, to_client, server_side=True)
        self.client = client.wrap_bio(to_client, to_server, server_hostname=name, session=session)
        ready: set[ssl.SSLObject] = set()
        for _ in range(10):
            for end in (self.client, self.server):
                try:
                    end.do_handshake()
                    ready.add(end)
                except ssl.SSLWantReadError:
                    pass
        assert len(ready) == 2

    def ticket(self) -> ssl.SSLSession:
        """What the client may resume with; a ticket comes with the first payload at the latest."""
        self.server.write(b"x")
        assert self.client.read(1) == b"x"
        assert self.client.session is not None
        return self.client.session
