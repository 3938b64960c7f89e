"""Listeners that end TLS on one socket for overlapping names: no conflict, and worth saying (GEP-3567).

A client that holds a connection for one of them may send it requests for the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from appliance.gatewayapi.conflicts import Claim
from appliance.gatewayapi.name_index import NameIndex
from appliance.gatewayapi.problems import LISTED_LIMIT, Problem


def overlapping_tls(claims: Iterable[Claim]) -> dict[str, Problem]:
    """The Listeners whose certificates or hostnames overlap with those of others on one socket, by listener key."""
    found: dict[str, Problem] = {}
    for group in _sharing(claims):
        certificates: NameIndex[str] = NameIndex()
        hostnames: NameIndex[str] = NameIndex()
        for claim in group:
            certificates.add(claim.plan.admission.key, _certificate_names(claim))
            hostnames.add(claim.plan.admission.key, (claim.plan.admission.hostname,))
        owners = {c.plan.admission.key: c for c in group}
        for key, claim in owners.items():
            if key in found:
                continue
            if others := _first(key, certificates.overlapping(_certificate_names(claim))):
                found[key] = _problem("OverlappingCertificates", "certificate names", claim, others, owners)
            elif others := _first(key, hostnames.overlapping((claim.plan.admission.hostname,))):
                found[key] = _problem("OverlappingHostnames", "hostnames", claim, others, owners)
    return found


def _sharing(claims: Iterable[Claim]) -> Iterator[list[Claim]]:
    """The Listeners that end TLS by the socket that they share; those that listen everywhere share all of a port."""
    ports: dict[int, dict[str, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for claim in claims:
        if claim.plan.terminates and claim.plan.servable:
            for address in claim.addresses:
                ports[claim.plan.admission.port][address].append(claim)
    for addresses in ports.values():
        everywhere = addresses.pop("", [])
        yield from ([*everywhere, *group] for group in addresses.values())
        if not addresses:
            yield everywhere


def _certificate_names(claim: Claim) -> tuple[str, ...]:
    return tuple(name for bundle in claim.plan.certificates.usable for name in bundle.names)


def _first(own: str, keys: Iterator[str]) -> list[str]:
    """Others, a few distinct ones, and one more where there are more: there may be as many as Listeners."""
    distinct: dict[str, None] = {}
    for key in keys:
        if key != own:
            distinct[key] = None
        if len(distinct) > LISTED_LIMIT:
            break
    return sorted(distinct)


def _problem(reason: str, what: str, claim: Claim, others: Sequence[str], owners: Mapping[str, Claim]) -> Problem:
    """The sentence; a ListenerSet of another namespace is not named to a ListenerSet (GEP-1713)."""
    named: dict[str, None] = {}
    for key in others[:LISTED_LIMIT]:
        other = owners[key].owner
        hidden = "ListenerSet" == claim.owner.kind == other.kind and claim.owner.namespace != other.namespace
        named["another ListenerSet" if hidden else key] = None
    more = " and others" if len(others) > LISTED_LIMIT else ""
    return Problem(reason, f"its {what} overlap with those of {', '.join(named)}{more}")
