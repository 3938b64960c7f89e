"""URLRewrite (Gateway API: HTTPURLRewriteFilter)."""

from __future__ import annotations

from appliance.gatewayapi.filters.path_modifier import path_modifier
from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import URLRewrite


def url_rewrite(body: Json) -> URLRewrite:
    """Raises ValueError as path_modifier does."""
    return URLRewrite(body.get("hostname"), path_modifier(body.get("path")))
