"""Which of several matches wins, as a key that sorts the winner first.

Of the specificities below, then the older route, its namespace and name, then the order within it. Routes of different
kinds never have a hostname in common (see `routes.exclusion`); their kind only keeps any two keys apart.
"""

from __future__ import annotations

from typing import Final

from appliance.gatewayapi.resources import Json, Resource
from proxy.snapshot.routes import HttpMatch

Rank = tuple[tuple[int, ...], tuple[str, str], str, int, int]

_PATH_RANK: Final = {"exact": 0, "regex": 1, "prefix": 2}


def rank(match: HttpMatch, route: Resource, rule_index: int, match_index: int) -> Rank:
    """The sort key of a match of an HTTPRoute (Gateway API: HTTPRouteRule.matches).

    Exact path, then regular expression, then longest prefix, then method, number of headers, number of query
    parameters. Where regular expressions stand is left to implementations: before prefixes, or a rule for "/" would
    hide every one of them; among themselves the longer first.
    """
    specificity = (
        _PATH_RANK[match.path_kind],
        -len(match.path),
        int(match.method is None),
        -len(match.headers),
        -len(match.query),
    )
    return specificity, route.age, route.key.kind, rule_index, match_index


def grpc_rank(method: Json, headers: int, route: Resource, rule_index: int, match_index: int) -> Rank:
    """The sort key of a match of a GRPCRoute (Gateway API: GRPCRouteRule.matches).

    method: a GRPCMethodMatch. The longest service, then the longest method, then the number of headers. How many
    characters an expression will match is not known: it comes after every exact name, the longer one first.
    """
    exact = (method.get("type") or "Exact") == "Exact"
    service, name = (method.get(part) or "" for part in ("service", "method"))
    specificity = (*_written(service, exact=exact), *_written(name, exact=exact), -headers)
    return specificity, route.age, route.key.kind, rule_index, match_index


def _written(text: str, *, exact: bool) -> tuple[int, int]:
    return (0 if exact and text else 1 if text else 2, -len(text))
