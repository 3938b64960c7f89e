"""What a rule does, planned when a snapshot is compiled: an action comes in, a Plan that a request follows goes out."""

from __future__ import annotations

from typing import assert_never

from proxy.filters.cors import CrossOrigin, compile_cors
from proxy.filters.external_auth import Authority, compile_external_auth
from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.filters.redirect import Redirect, compile_redirect
from proxy.filters.request_headers import compile_request_headers
from proxy.filters.request_mirror import MirrorShare, compile_request_mirror
from proxy.filters.response_headers import compile_response_headers
from proxy.filters.url_rewrite import Rewrite, compile_url_rewrite
from proxy.http.sessions import Sessions
from proxy.reasons import Reason
from proxy.routing.splits import Split
from proxy.snapshot.filters import (
    Cors,
    ExternalAuth,
    HttpFilter,
    RequestHeaderModifier,
    RequestMirror,
    RequestRedirect,
    ResponseHeaderModifier,
    URLRewrite,
)
from proxy.snapshot.routes import HttpAction, Refusal, WeightedBackend
from proxy.telemetry.log_line import members
from proxy.telemetry.metrics import Metrics

NO_BACKEND = Refusal(500, Reason.NO_BACKEND)


class Filters:
    """A list of filters, composed in its order."""

    __slots__ = ("authorities", "cross_origin", "mirrors", "redirect", "request", "response", "rewrites")

    def __init__(self, filters: tuple[HttpFilter, ...]) -> None:
        self.request: HeaderEdit = NO_EDIT
        self.response: HeaderEdit = NO_EDIT
        self.redirect: Redirect | None = None
        self.rewrites: tuple[Rewrite, ...] = ()
        self.mirrors: tuple[MirrorShare, ...] = ()
        self.cross_origin: CrossOrigin | None = None
        self.authorities: tuple[Authority, ...] = ()
        for each in filters:
            match each:
                case RequestHeaderModifier():
                    self.request = self.request.then(compile_request_headers(each))
                case ResponseHeaderModifier():
                    self.response = self.response.then(compile_response_headers(each))
                case RequestRedirect():
                    self.redirect = self.redirect or compile_redirect(each)
                case URLRewrite():
                    self.rewrites = (*self.rewrites, compile_url_rewrite(each))
                case RequestMirror():
                    self.mirrors = (*self.mirrors, compile_request_mirror(each))
                case Cors():
                    self.cross_origin = compile_cors(each)
                case ExternalAuth():
                    self.authorities = (*self.authorities, compile_external_auth(each))
                case _:
                    assert_never(each)


class BackendPlan:
    """One backend of a rule: where requests go and how heads change on the way, the rule's filters first.

    On the way back a backend's response filters come first. mirrors, cross_origin: its own, beside the rule's.
    """

    __slots__ = (
        "cluster",
        "cross_origin",
        "mirrors",
        "redirect",
        "refusal",
        "request_edit",
        "response_edit",
        "rewrites",
    )

    def __init__(self, backend: WeightedBackend, rule: Filters) -> None:
        own = Filters(backend.filters)
        self.cluster = backend.target if isinstance(backend.target, str) else ""
        self.refusal = backend.target if isinstance(backend.target, Refusal) else None
        self.redirect = own.redirect
        self.mirrors = own.mirrors
        self.cross_origin = own.cross_origin
        self.request_edit = rule.request.then(own.request)
        self.response_edit = own.response.then(rule.response)
        self.rewrites = (*rule.rewrites, *own.rewrites)


class CopyPlan:
    """How the heads of copies for a rule's mirrors change: as the rule's filters say, and no backend's."""

    __slots__ = ("request_edit", "rewrites")

    def __init__(self, rule: Filters) -> None:
        self.request_edit = rule.request
        self.rewrites = rule.rewrites


HeadPlan = BackendPlan | CopyPlan
"""How the head of a request changes on its way."""


class Plan:
    """A rule's action. The first of these that there is decides: `refusal`, `redirect`, a backend of `backends`.

    cross_origin and authorities are asked before, in this order. copied: how heads for the rule's mirrors change.
    direct: the one backend there is, when nothing but edits of header lines stands before it; the fast lane serves it.
    """

    __slots__ = (
        "__weakref__",
        "action",
        "authorities",
        "backend_timeout_s",
        "backends",
        "copied",
        "counts",
        "cross_origin",
        "direct",
        "elaborate",
        "log",
        "mirrors",
        "redirect",
        "refusal",
        "request_timeout_s",
        "response_edit",
        "retry",
        "sessions",
    )

    def __init__(self, action: HttpAction, metrics: Metrics) -> None:
        rule = Filters(action.filters)
        plans = [BackendPlan(each, rule) for each in action.backends]
        choices = [(each.weight, plan) for each, plan in zip(action.backends, plans, strict=True) if each.weight > 0]
        self.action = action
        self.backends = Split(choices) if choices else None
        self.authorities = rule.authorities
        self.cross_origin = rule.cross_origin
        self.mirrors = rule.mirrors
        self.copied = CopyPlan(rule) if rule.mirrors else None
        self.retry = action.retry
        self.sessions = Sessions(action, plans) if _has_session(action) else None
        self.redirect = rule.redirect
        self.refusal = action.refusal
        if self.refusal is None and self.backends is None and self.redirect is None:
            self.refusal = NO_BACKEND
        self.response_edit = rule.response
        self.request_timeout_s = action.request_timeout_s or 0.0
        self.backend_timeout_s = action.backend_timeout_s or 0.0
        self.log = members(route=action.route, rule=action.rule)
        self.counts = metrics.route(action.route).by_class
        self.elaborate = self._elaborate()
        self.direct = self._direct()

    def _direct(self) -> BackendPlan | None:
        only = self.backends.only if self.backends and self.redirect is None and self.refusal is None else None
        if only is None or only.redirect is not None or only.refusal is not None or only.rewrites:
            return None
        return None if self.elaborate else only

    def _elaborate(self) -> bool:
        """Whether there is more to do than to choose a backend and to edit heads."""
        if self.authorities or self.mirrors or self.cross_origin is not None:
            return True
        if self.retry is not None or self.sessions is not None or self.backends is None:
            return self.retry is not None or self.sessions is not None
        return any(plan.mirrors or plan.cross_origin is not None for plan in self.backends.items)


def _has_session(action: HttpAction) -> bool:
    return action.session is not None or any(each.session is not None for each in action.backends)
