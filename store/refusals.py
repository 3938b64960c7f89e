"""Refusals: the StatusErrors that the verbs raise, each with the words of Kubernetes; one constructor for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from store.errors import Cause, StatusError
from store.kinds.kind import Kind

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
CAUSES_LIMIT = 256
CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def bad_request(message: str) -> StatusError:
    """400: the request makes no sense."""
    return StatusError(400, "BadRequest", message)


def not_found(kind: Kind, name: str) -> StatusError:
    """404 for an object."""
    return StatusError(404, "NotFound", f'{kind.resource} "{name}" not found', kind.group, kind.plural, name)


def namespace_not_found(namespace: str) -> StatusError:
    """404 for the namespace that an object was to be created in."""
    return StatusError(404, "NotFound", f'namespaces "{namespace}" not found', kind="namespaces", name=namespace)


def already_exists(kind: Kind, name: str, deleting: bool = False) -> StatusError:
    """409 for a create; deleting: the one in the way is on its way out."""
    prefix = "object is being deleted: " if deleting else ""
    message = f'{prefix}{kind.resource} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, kind.group, kind.plural, name)


def no_unique_name(kind: Kind, name: str) -> StatusError:
    """409 after too many generated names were taken."""
    message = (
        f'{kind.resource} "{name}" already exists, the server was not able to generate a unique name for the object'
    )
    return StatusError(409, "AlreadyExists", message, kind.group, kind.plural, name, retry_after_s=1)


def conflict(kind: Kind, name: str, why: str = MODIFIED, causes: Sequence[Cause] = ()) -> StatusError:
    """409: what the writer knows is not what is."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, kind.group, kind.plural, name, causes=causes)


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[Cause] = ()) -> StatusError:
    """403: nobody may do this."""
    message = f'{kind.resource} "{name}" is forbidden: {why}'
    return StatusError(403, "Forbidden", message, kind.group, kind.plural, name, causes=causes)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> StatusError:
    """422 with its causes, each once, and no more of them than somebody would read."""
    causes = tuple(islice(dict.fromkeys(causes), CAUSES_LIMIT))
    texts = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
    summary = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {summary}', group, kind, name, causes=causes)


def expired(message: str, continue_: str = "") -> StatusError:
    """410: the past that was asked for is forgotten. continue_: a token that goes on inconsistently."""
    return StatusError(410, "Expired", message, metadata={"continue": continue_} if continue_ else {})


def too_large_revision(asked: int, current: int) -> StatusError:
    """504: a revision that does not exist yet."""
    cause = Cause("ResourceVersionTooLarge", "Too large resource version")
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return StatusError(504, "Timeout", message, causes=(cause,), retry_after_s=1)


def full() -> StatusError:
    """507: the disk or the quota is full."""
    return StatusError(
        507, "InternalError", "the store is full: nothing was written; free disk space or raise the quota and try again"
    )


def failed(message: str) -> StatusError:
    """500: the disk failed; the outcome is unknown."""
    return StatusError(500, "InternalError", message)
