"""Gateway (gateway.networking.k8s.io): addresses and listeners that carry traffic into routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from store.kinds.columns import AGE, condition, text
from store.kinds.conditions import conditions, waiting
from store.kinds.fields import int32, items, keyed, mapping, record, string
from store.kinds.kind import Kind, Version
from store.kinds.listeners import LISTENER_STATUSES, allowed_namespaces, listeners
from store.kinds.names import ADDRESS_TYPE, LABEL_KEY, LABEL_VALUE, SUBDOMAIN_OR_WILDCARD, name, port_number
from store.kinds.references import GATEWAY_API, local_reference, object_reference, secret_reference
from store.schema.scalars import matcher
from store.schema.structural import Rule, Schema

_is_hostname = matcher(SUBDOMAIN_OR_WILDCARD)
_is_label_key = matcher(LABEL_KEY)

# An address of type IPAddress (the default) must be one; other types are judged by rules.
_IP_WHERE_TYPED_SO = (
    Schema(
        type="",
        properties={
            "type": Schema(type="", enum=("IPAddress",)),
            "value": Schema(type="", any_of=(Schema(type="", format="ipv4"), Schema(type="", format="ipv6"))),
        },
    ),
    Schema(type="", properties={"type": Schema(type="", negated=Schema(type="", enum=("IPAddress",)))}),
)


def _unique_values(type_: str) -> Callable[[list[dict[str, Any]], Any], bool]:
    def check(addresses: list[dict[str, Any]], _: Any) -> bool:
        values = [one["value"] for one in addresses if one["type"] == type_ and "value" in one]
        return len(set(values)) == len(values)

    return check


def _hostname_spelt_well(address: dict[str, Any], _: Any) -> bool:
    return address["type"] != "Hostname" or "value" not in address or _is_hostname(address["value"])


def _address(description: str, *, wanted: bool) -> Schema:
    may_be = "be empty or contain only" if wanted else "only contain"
    return record(
        description,
        {
            "type": string(
                "IPAddress, Hostname, or a type of the implementation's own.",
                pattern=ADDRESS_TYPE,
                at_least=1,
                at_most=253,
                default="IPAddress",
            ),
            "value": string("The address.", at_least=None if wanted else 1, at_most=253),
        },
        required=() if wanted else ("value",),
        one_of=_IP_WHERE_TYPED_SO,
        rules=(
            Rule(
                f"Hostname value must {may_be} valid characters (matching {SUBDOMAIN_OR_WILDCARD})",
                _hostname_spelt_well,
            ),
        ),
    )


def _keys_spelt_well(labels: dict[str, str], _: Any) -> bool:
    return all(_is_label_key(key) for key in labels)


def _prefixes_short(labels: dict[str, str], _: Any) -> bool:
    return all(len(key.split("/")[0]) < 253 for key in labels)


def _key_rules(what: str) -> tuple[Rule, ...]:
    form = "must be in the form of an optional DNS subdomain prefix followed by a required name segment"
    return (
        Rule(f"{what.title()} keys {form} of up to 63 characters.", _keys_spelt_well),
        Rule(
            f"If specified, the {what} key's prefix must be a DNS subdomain not longer than 253 characters in total.",
            _prefixes_short,
        ),
    )


_INFRASTRUCTURE = record(
    "Settings for whatever the implementation creates to run the Gateway.",
    {
        "annotations": mapping(
            "Annotations for it.", string(at_least=0, at_most=4096), at_most=16, rules=_key_rules("annotation")
        ),
        "labels": mapping(
            "Labels for it.",
            string(pattern=LABEL_VALUE, at_least=0, at_most=63),
            at_most=8,
            rules=_key_rules("label"),
        ),
        "parametersRef": local_reference("Configuration of the implementation's own."),
    },
)


def _frontend_tls(description: str) -> Schema:
    validation = record(
        "How certificates of clients are checked.",
        {
            "caCertificateRefs": items(
                "Certificate authorities that clients' certificates must come from.",
                object_reference("A ConfigMap with the key ca.crt, or another kind with certificates."),
                at_least=1,
                at_most=16,
            ),
            "mode": string(
                "Whether clients without a valid certificate are turned away.",
                one_of=("AllowValidOnly", "AllowInsecureFallback"),
                default="AllowValidOnly",
            ),
        },
        required=("caCertificateRefs",),
    )
    return record(description, {"validation": validation})


def _ports_unique(configurations: list[dict[str, Any]], _: Any) -> bool:
    ports = [one["port"] for one in configurations]
    return len(set(ports)) == len(ports)


_TLS = record(
    "TLS towards clients and backends, for the Gateway as a whole.",
    {
        "backend": record(
            "TLS towards backends.",
            {"clientCertificateRef": secret_reference("Certificate that the Gateway shows to backends.")},
        ),
        "frontend": record(
            "TLS towards clients, for HTTPS listeners.",
            {
                "default": _frontend_tls("For every port that perPort does not name."),
                "perPort": keyed(
                    "For single ports.",
                    record(
                        "TLS on one port.",
                        {"port": port_number("The port."), "tls": _frontend_tls("TLS on this port.")},
                        required=("port", "tls"),
                    ),
                    "port",
                    at_most=64,
                    rules=(Rule("Port for TLS configuration must be unique within the Gateway", _ports_unique),),
                ),
            },
            required=("default",),
        ),
    },
)

_SPEC = record(
    "The Gateway as wanted.",
    {
        "addresses": items(
            "Addresses to serve on; the implementation chooses if unset.",
            _address("An address that is asked for.", wanted=True),
            at_most=16,
            rules=(
                Rule("IPAddress values must be unique", _unique_values("IPAddress")),
                Rule("Hostname values must be unique", _unique_values("Hostname")),
            ),
        ),
        "allowedListeners": record(
            "ListenerSets that may add listeners.",
            {
                "namespaces": allowed_namespaces(
                    "Namespaces whose ListenerSets may attach.", ("All", "Selector", "Same", "None"), "None"
                )
            },
        ),
        "defaultScope": string("Which routes attach that ask for default Gateways.", one_of=("All", "None")),
        "gatewayClassName": name("GatewayClass that the Gateway is of."),
        "infrastructure": _INFRASTRUCTURE,
        "listeners": listeners("Ports, protocols and host names that traffic is accepted for."),
        "tls": _TLS,
    },
    required=("gatewayClassName", "listeners"),
)
_STATUS = record(
    "What became of the Gateway.",
    {
        "addresses": items(
            "Addresses that the Gateway serves on.", _address("An address in use.", wanted=False), at_most=16
        ),
        "attachedListenerSets": int32("How many ListenerSets are attached."),
        "conditions": conditions("State of the Gateway.", default=waiting("Accepted", "Programmed")),
        "listeners": LISTENER_STATUSES,
    },
    default={"conditions": waiting("Accepted", "Programmed")},
)
_SCHEMA = record("Where traffic comes in.", {"spec": _SPEC, "status": _STATUS}, required=("spec",))
_COLUMNS = (
    text("Class", ".spec.gatewayClassName"),
    text("Address", ".status.addresses[*].value"),
    condition("Programmed"),
    AGE,
)

GATEWAY = Kind(
    group=GATEWAY_API,
    name="Gateway",
    plural="gateways",
    singular="gateway",
    short_names=("gtw",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(Version("v1", _SCHEMA, _COLUMNS, storage=True), Version("v1beta1", _SCHEMA, _COLUMNS)),
)
