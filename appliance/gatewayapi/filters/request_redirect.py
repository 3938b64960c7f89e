"""RequestRedirect (Gateway API: HTTPRequestRedirectFilter)."""

from __future__ import annotations

from typing import Final

from appliance.gatewayapi.filters.path_modifier import path_modifier
from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import RequestRedirect

STATUSES: Final = (301, 302, 303, 307, 308)


def request_redirect(body: Json) -> RequestRedirect:
    """Raises ValueError for a scheme or status that the API does not name."""
    status = body.get("statusCode") or 302
    if status not in STATUSES:
        raise ValueError(f"redirect status {status} is not supported")
    scheme = body.get("scheme")
    if scheme not in (None, "http", "https"):
        raise ValueError(f"redirect scheme {scheme} is not supported")
    return RequestRedirect(status, scheme, body.get("hostname"), body.get("port"), path_modifier(body.get("path")))
