"""Questions about oneself: `kubectl auth whoami` and `kubectl auth can-i`.

Review objects come in, the same objects with their status go out; nothing is stored. Whether somebody may do something
is decided by `store.auth.authorization`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from store.auth.authentication import User
from store.auth.authorization import Access, allows
from store.errors import Cause, StatusError
from store.http.answers import document_answer
from store.http.bodies import read_body
from store.http.errors import bad_request
from store.http.negotiation import decode_body


async def self_subject_review(request: Request) -> Response:
    """Who am I?"""
    user: User = request.scope["user"]
    info = {"username": user.name, "groups": list(user.groups)}
    review = await _review(request, "authentication.k8s.io/v1", "SelfSubjectReview")
    return await document_answer(request, review | {"status": {"userInfo": info}}, 201)


async def self_subject_access_review(request: Request) -> Response:
    """May I do this?"""
    review = await _review(request, "authorization.k8s.io/v1", "SelfSubjectAccessReview")
    spec = review.get("spec") or {}
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        problem = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise StatusError(
            422,
            "Invalid",
            f'SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: {problem}',
            group="authorization.k8s.io",
            kind="SelfSubjectAccessReview",
            causes=(Cause("FieldValueInvalid", problem, "spec.resourceAttributes"),),
        )
    status = {"allowed": allows(request.scope["user"], _access(spec))}
    return await document_answer(request, review | {"status": status}, 201)


async def self_subject_rules_review(request: Request) -> Response:
    """What may I do in a namespace?"""
    review = await _review(request, "authorization.k8s.io/v1", "SelfSubjectRulesReview")
    # There are no roles to list yet: somebody may do everything or nothing.
    everything = allows(request.scope["user"], Access("*", "*", "*", "*"))
    status = {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}] if everything else [],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}] if everything else [],
        "incomplete": False,
    }
    return await document_answer(request, review | {"status": status}, 201)


def _access(spec: Mapping[str, Any]) -> Access:
    if asked := spec.get("nonResourceAttributes"):
        return Access(asked.get("verb", ""), path=asked.get("path", ""))
    asked = spec["resourceAttributes"]
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Access(**{field: asked.get(field, "") for field in fields})


async def _review(request: Request, api_version: str, kind: str) -> dict[str, Any]:
    body = decode_body(request.headers.get("content-type", ""), await read_body(request), kind)
    if body.get("kind", kind) != kind or body.get("apiVersion", api_version) != api_version:
        raise bad_request(f"the body of the request must be a {kind} of {api_version}")
    review = {"kind": kind, "apiVersion": api_version, "metadata": body.get("metadata") or {"creationTimestamp": None}}
    return review | ({"spec": body["spec"]} if "spec" in body else {})
