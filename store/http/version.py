"""/version: what this server says it is. Clients take the Kubernetes release whose API it follows from here."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import Response

from store.http.answers import document_answer

KUBERNETES_MAJOR, KUBERNETES_MINOR = "1", "36"


@cache
def own_version() -> str:
    """The version of the installed package, "0" where it runs from a bare source tree."""
    try:
        return version("gatehouse")
    except PackageNotFoundError:
        return "0"


async def version_answer(request: Request) -> Response:
    """Every field is required by some client; what does not exist here is said to be so."""
    document = {
        "major": KUBERNETES_MAJOR,
        "minor": KUBERNETES_MINOR,
        "gitVersion": f"v{KUBERNETES_MAJOR}.{KUBERNETES_MINOR}.0+gatehouse-{own_version()}",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
    return await document_answer(request, document)
