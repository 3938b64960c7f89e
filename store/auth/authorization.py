"""What a user may do. For now there are two answers: administrators may do everything, others nothing.

Roles come with RBAC; until then refusing is the only honest answer to everybody who is no administrator.
"""

from __future__ import annotations

from dataclasses import dataclass

from store.auth.authentication import User
from store.errors import StatusError

ADMINISTRATORS = "system:masters"


@dataclass(frozen=True, slots=True)
class Access:
    """What is asked for: a verb on a resource, or on a path that is none.

    verb: get, list, watch, create, update, patch, delete, deletecollection; for paths the lower-case method.
    resource: the plural, "" when `path` says what is asked for. namespace, name, subresource: "" where there is none.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def allows(user: User, access: Access) -> bool:
    """Whether a user may do this. The access decides nothing yet: an administrator may do all, nobody else anything."""
    return ADMINISTRATORS in user.groups


def require(user: User, access: Access) -> None:
    """Raises StatusError 403, with the words of Kubernetes, when the user may not do this."""
    if allows(user, access):
        return
    if not access.resource:
        message = f'forbidden: User "{user.name}" cannot {access.verb} path "{access.path}"'
        raise StatusError(403, "Forbidden", message)
    subject = f"{access.resource}.{access.group}" if access.group else access.resource
    if access.name:
        subject += f' "{access.name}"'
    resource = f"{access.resource}/{access.subresource}" if access.subresource else access.resource
    where = f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {access.verb} resource "{resource}" '
        f'in API group "{access.group}" {where}'
    )
    raise StatusError(403, "Forbidden", message, group=access.group, kind=access.resource, name=access.name)
