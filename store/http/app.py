"""The REST application: every URL on this screen, and the layers that each request passes.

A service and an authenticator come in, an ASGI application goes out. Sockets and TLS are `store.http.server`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from store.http import reviews
from store.http.access import AccessLayer, Authenticator
from store.http.audit import AuditLayer, AuditSink
from store.http.discovery import Discovery
from store.http.errors import ErrorLayer, UnknownPathError
from store.http.limits import InFlightLayer, Limits
from store.http.objects import Objects
from store.http.openapi import OpenApi
from store.http.routes import Routes
from store.http.version import version_answer
from store.service import Service

_IDENTITY = "/apis/authentication.k8s.io/v1"
_ACCESS = "/apis/authorization.k8s.io/v1"
_ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def create_app(
    service: Service,
    *,
    authenticator: Authenticator,
    extra_routes: Sequence[BaseRoute] = (),
    hosts: Collection[str] = (),
    limits: Limits = Limits(),
    audit: AuditSink | None = None,
) -> ASGIApp:
    """The application.

    extra_routes: of the appliance (/livez, /readyz, /metrics); they pass the same layers.
    hosts: names, beside addresses and localhost, under which clients may reach it. audit: gets one record per request.
    """
    objects, discovery = Objects(service), Discovery(service.registry)
    openapi = OpenApi(service, discovery)
    routes: list[BaseRoute] = [
        Route(f"{_ACCESS}/selfsubjectaccessreviews", reviews.self_subject_access_review, methods=["POST"]),
        Route(f"{_ACCESS}/selfsubjectrulesreviews", reviews.self_subject_rules_review, methods=["POST"]),
        Route(f"{_IDENTITY}/selfsubjectreviews", reviews.self_subject_review, methods=["POST"]),
        # `namespaces` is a resource as well as a part of other resources' paths.
        Route(
            "/api/{version}/namespaces/{name}/status", partial(objects.namespace, subresource="status"), methods=_ANY
        ),
        Route(
            "/api/{version}/namespaces/{name}/finalize",
            partial(objects.namespace, subresource="finalize"),
            methods=_ANY,
        ),
        *_resource_routes("/apis/{group}/{version}", objects),
        *_resource_routes("/api/{version}", objects),
        *_rooted("/api", discovery.core),
        *_rooted("/apis", discovery.groups),
        *_rooted("/apis/{group}", discovery.group),
        *_rooted("/api/{version}", discovery.resources),
        *_rooted("/apis/{group}/{version}", discovery.resources),
        Route("/openapi/v2", openapi.v2),
        Route("/openapi/v3", openapi.index),
        Route("/openapi/v3/api/{version}", openapi.document),
        Route("/openapi/v3/apis/{group}/{version}", openapi.document),
        *_rooted("/version", version_answer),
        *extra_routes,
    ]
    app: ASGIApp = Routes(routes, _unknown_path)
    app = AccessLayer(app, authenticator, hosts)
    app = ErrorLayer(InFlightLayer(app, limits))
    return AuditLayer(app, audit) if audit else app


def _rooted(path: str, answer: Callable[..., Any]) -> list[BaseRoute]:
    """With and without a slash at the end: clients made from the API's own description ask with it."""
    return [Route(path, answer), Route(f"{path}/", answer)]


def _resource_routes(prefix: str, objects: Objects) -> list[BaseRoute]:
    return [
        Route(prefix + "/namespaces/{namespace}/{plural}/{name}/{subresource}", objects.item, methods=_ANY),
        Route(prefix + "/namespaces/{namespace}/{plural}/{name}", objects.item, methods=_ANY),
        Route(prefix + "/namespaces/{namespace}/{plural}", objects.collection, methods=_ANY),
        Route(prefix + "/{plural}/{name}/{subresource}", objects.item, methods=_ANY),
        Route(prefix + "/{plural}/{name}", objects.item, methods=_ANY),
        Route(prefix + "/{plural}", objects.collection, methods=_ANY),
    ]


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    raise UnknownPathError
