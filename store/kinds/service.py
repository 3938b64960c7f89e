"""Service (core group): a name for endpoints. No cluster address is allocated here: clusterIP stays as given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store.kinds.columns import AGE
from store.kinds.core import CONDITIONS
from store.kinds.fields import boolean, int32, int_or_string, items, keyed, mapping, record, string
from store.kinds.kind import Column, Kind, Version
from store.kinds.service_validation import AFFINITIES, FAMILY_POLICIES, POLICIES, PROTOCOLS, TYPES, judge

_AFFINITY_TIMEOUT_S = 10800


def _prepare(value: dict[str, Any]) -> None:
    """What one field says when it depends on another (Kubernetes: SetDefaults_Service)."""
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return
    ports = spec.get("ports")
    for port in ports if isinstance(ports, list) else ():
        if isinstance(port, dict) and port.get("targetPort") in (None, 0, "") and "port" in port:
            port["targetPort"] = port["port"]
    type_ = spec.get("type") or "ClusterIP"
    if type_ != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if type_ in ("NodePort", "LoadBalancer") or spec.get("externalIPs"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if type_ == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec.get("sessionAffinity") == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": _AFFINITY_TIMEOUT_S}})
    elif spec.get("sessionAffinity") in (None, "", "None"):
        spec.pop("sessionAffinityConfig", None)
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


_PORT = record(
    "A port of the Service.",
    {
        "appProtocol": string("Protocol above TCP or UDP, such as kubernetes.io/h2c."),
        "name": string("Name of the port; needed where there are several."),
        "nodePort": int32("Port on every machine, for types NodePort and LoadBalancer."),
        "port": int32("Port that clients use."),
        "protocol": string("TCP, UDP or SCTP.", stated_one_of=PROTOCOLS, default="TCP"),
        "targetPort": int_or_string("Port of the endpoints, by number or name; the same as port if unset."),
    },
    stated_required=("port",),
)
_SPEC = record(
    "The Service as wanted.",
    {
        "allocateLoadBalancerNodePorts": boolean("Whether type LoadBalancer gets node ports."),
        "clusterIP": string("Address inside a cluster, or None. Nothing allocates one here."),
        "clusterIPs": items("Addresses inside a cluster.", string()),
        "externalIPs": items("Further addresses at which the Service is reached.", string()),
        "externalName": string("DNS name that the Service stands for, for type ExternalName."),
        "externalTrafficPolicy": string("How traffic from outside finds endpoints.", stated_one_of=POLICIES),
        "healthCheckNodePort": int32("Port of the health check of load balancers."),
        "internalTrafficPolicy": string("How traffic from inside finds endpoints.", stated_one_of=POLICIES),
        "ipFamilies": items("IPv4, IPv6 or both.", string()),
        "ipFamilyPolicy": string("Whether one family is enough.", stated_one_of=FAMILY_POLICIES),
        "loadBalancerClass": string("Who makes the load balancer."),
        "loadBalancerIP": string("Address that is asked of the load balancer."),
        "loadBalancerSourceRanges": items("Clients that the load balancer lets in.", string()),
        "ports": keyed("Ports of the Service.", _PORT, "port", "protocol", merge_key="port"),
        "publishNotReadyAddresses": boolean("Whether endpoints count that are not ready."),
        "selector": mapping("Labels of the endpoints.", string(), atomic=True),
        "sessionAffinity": string("Whether a client stays with an endpoint.", stated_one_of=AFFINITIES, default="None"),
        "sessionAffinityConfig": record(
            "Settings of the affinity.",
            {
                "clientIP": record(
                    "Settings of affinity by address.", {"timeoutSeconds": int32("Seconds that it lasts.")}
                )
            },
        ),
        "trafficDistribution": string("Which endpoints are preferred."),
        "type": string("ClusterIP, NodePort, LoadBalancer or ExternalName.", stated_one_of=TYPES, default="ClusterIP"),
    },
)
_INGRESS = record(
    "A point where traffic comes in.",
    {
        "hostname": string("Its DNS name."),
        "ip": string("Its address."),
        "ipMode": string("VIP or Proxy."),
        "ports": items(
            "State of its ports.",
            record(
                "A port.",
                {
                    "error": string("What is wrong."),
                    "port": int32("The port."),
                    "protocol": string("The protocol.", stated_one_of=PROTOCOLS),
                },
                stated_required=("port", "protocol"),
            ),
        ),
    },
)
_SCHEMA = replace(
    record(
        "A name for endpoints that serve the same.",
        {
            "spec": _SPEC,
            "status": record(
                "What became of the Service.",
                {
                    "conditions": CONDITIONS,
                    "loadBalancer": record(
                        "State of the load balancer.", {"ingress": items("Where traffic comes in.", _INGRESS)}
                    ),
                },
                default={"loadBalancer": {}},
            ),
        },
    ),
    prepare=_prepare,
    judge=judge,
)


def _cluster_ip(value: dict[str, Any]) -> str:
    spec = value.get("spec") or {}
    return str(next(iter(spec.get("clusterIPs") or ()), "<none>"))


def _external_ip(value: dict[str, Any]) -> str:
    spec = value.get("spec") or {}
    type_, addresses = spec.get("type"), list(spec.get("externalIPs") or ())
    if type_ == "ExternalName":
        return str(spec.get("externalName", ""))
    if type_ == "LoadBalancer":
        ingress = ((value.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        points = sorted({point.get("ip") or point.get("hostname") or "" for point in ingress} - {""})
        return ",".join([*points, *addresses]) or "<pending>"
    return ",".join(addresses) or "<none>"


def _ports(value: dict[str, Any]) -> str:
    def shown(port: dict[str, Any]) -> str:
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port', 0)}{node_port}/{port.get('protocol', 'TCP')}"

    return ",".join(map(shown, (value.get("spec") or {}).get("ports") or ())) or "<none>"


def _selector(value: dict[str, Any]) -> str:
    selector = (value.get("spec") or {}).get("selector") or {}
    return ",".join(f"{key}={selector[key]}" for key in sorted(selector)) or "<none>"


SERVICE = Kind(
    group="",
    name="Service",
    plural="services",
    singular="service",
    custom=False,
    short_names=("svc",),
    categories=("all",),
    subresources=("status",),
    versions=(
        Version(
            "v1",
            _SCHEMA,
            (
                Column("Type", "string", ".spec.type"),
                Column("Cluster-IP", "string", cell=_cluster_ip),
                Column("External-IP", "string", cell=_external_ip),
                Column("Port(s)", "string", cell=_ports),
                AGE,
                Column("Selector", "string", cell=_selector, priority=1),
            ),
            storage=True,
        ),
    ),
)
