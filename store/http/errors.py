"""Errors on the wire: a StatusError becomes its Status object, anything unexpected a 500 that the log tells about.

Exceptions of the handlers come in, finished answers go out. What the refusals of the verbs say is not decided here.
"""

from __future__ import annotations

import logging
import secrets

import orjson
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.errors import Cause, StatusError

logger = logging.getLogger(__name__)


class UnknownPathError(Exception):
    """No such URL. Answered as kube-apiserver does, with a line of text rather than a Status."""


def bad_request(message: str) -> StatusError:
    """400 for what cannot be read at all."""
    return StatusError(400, "BadRequest", message)


def invalid_options(options_kind: str, field: str, problem: str, reason: str = "FieldValueInvalid") -> StatusError:
    """422 for a query parameter that does not hold; options_kind is "ListOptions", "PatchOptions" and the like."""
    return StatusError(
        422,
        "Invalid",
        f'{options_kind}.meta.k8s.io "" is invalid: {field}: {problem}',
        group="meta.k8s.io",
        kind=options_kind,
        causes=(Cause(reason, problem, field),),
    )


def method_not_allowed() -> StatusError:
    """405 with the words of Kubernetes."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def error_response(error: StatusError) -> Response:
    """The Status as indented JSON; errors are never written as YAML or Table."""
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
    body = orjson.dumps(error.status(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    response = Response(body, error.code, headers, "application/json")
    for text in error.warnings:
        response.headers.append("Warning", warning(text))
    return response


def warning(text: str) -> str:
    """The value of a Warning header (RFC 7234 section 5.5), which kubectl prints."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted.encode("ascii", "backslashreplace").decode()}"'


class ErrorLayer:
    """The outermost layer: turns exceptions into answers, as long as no answer has begun.

    An exception in the middle of an answer is logged, and the answer ends without its final chunk, so that the
    client cannot take it for complete.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
            return
        except StatusError as error:
            if begun:
                logger.exception("%s %s failed half-way", scope["method"], scope["path"])
                return
            response = error_response(error)
        except UnknownPathError:
            response = PlainTextResponse("404 page not found\n", 404)
        except Exception:
            incident = secrets.token_hex(8)
            logger.exception("%s %s failed, incident %s", scope["method"], scope["path"], incident)
            if begun:
                return
            response = error_response(
                StatusError(500, "InternalError", f"Internal error occurred: see the log for incident {incident}")
            )
        await response(scope, receive, send)
