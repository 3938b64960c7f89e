"""A kept-alive API connection, cheap enough to write as fast as the store acknowledges."""

from __future__ import annotations

import http.client
import json
import ssl
from types import TracebackType
from typing import Any

from tests.scenarios.appliance import ApiError, Appliance


class Connection:
    """One TLS connection with the token. Not for several threads."""

    def __init__(self, appliance: Appliance) -> None:
        context = ssl.create_default_context(cafile=str(appliance.ca))
        self._connection = http.client.HTTPSConnection("127.0.0.1", appliance.api_port, timeout=30, context=context)
        self._headers = {"Authorization": f"Bearer {appliance.token}", "Accept": "application/json"}

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """The decoded answer. Raises ApiError, OSError or http.client.HTTPException."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, self._headers | {"Content-Type": content_type})
        with self._connection.getresponse() as answer:
            decoded = json.loads(answer.read())
            if answer.status >= 400:
                raise ApiError(answer.status, decoded)
        return decoded
