"""Grouping routes changes nothing about which of them answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from store.http.routes import Routes

PATHS = ("/api", "/api/{version}", "/api/{version}/namespaces/{name}/status", "/api/{version}/{plural}/{name}/{sub}")


def routes(seen: list[tuple[str, dict[str, Any]]]) -> Routes:
    class Noting:
        def __init__(self, path: str) -> None:
            self._path = path

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append((self._path, scope.get("path_params", {})))

    return Routes([Route(path, Noting(path)) for path in PATHS], Noting("nothing"))


@pytest.mark.parametrize(
    ("path", "answers", "parameters"),
    [
        ("/api", "/api", {}),
        ("/api/v1", "/api/{version}", {"version": "v1"}),
        ("/api/v1/namespaces/a/status", "/api/{version}/namespaces/{name}/status", {"version": "v1", "name": "a"}),
        (
            "/api/v1/services/a/status",
            "/api/{version}/{plural}/{name}/{sub}",
            {"version": "v1", "plural": "services", "name": "a", "sub": "status"},
        ),
        ("/api/", "nothing", {}),
        ("/", "nothing", {}),
        ("", "nothing", {}),
        ("/apis", "nothing", {}),
        ("/api/v1/a/b/c/d/e/f", "nothing", {}),
        ("*", "nothing", {}),
    ],
)
def test_the_first_route_that_matches_answers(path: str, answers: str, parameters: dict[str, Any]) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    asyncio.run(routes(seen)(scope, None, None))  # type: ignore[arg-type]  # nobody reads or sends
    assert seen == [(answers, parameters)]


def test_what_cannot_be_grouped_is_refused() -> None:
    with pytest.raises(ValueError, match="segment"):
        Routes([Route("/{anything}", lambda request: None)], None)  # type: ignore[arg-type]  # never called
