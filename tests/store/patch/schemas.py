"""Schemas of the kinds that the recorded sequences were played on."""

from __future__ import annotations

from store.schema.structural import Schema

STRING, INTEGER, BOOLEAN = Schema(type="string"), Schema(type="integer"), Schema(type="boolean")
INT_OR_STRING = Schema(type="", int_or_string=True)
STRINGS = Schema(type="object", additional=STRING)


def an_object(**properties: Schema) -> Schema:
    return Schema(type="object", properties=properties)


def a_list(items: Schema) -> Schema:
    return Schema(type="array", items=items)


def a_set(items: Schema) -> Schema:
    return Schema(type="array", items=items, list_type="set")


def keyed(items: Schema, *keys: str, merge_key: str = "") -> Schema:
    strategy = "merge" if merge_key else ""
    return Schema(
        type="array",
        items=items,
        list_type="map",
        list_map_keys=keys,
        patch_merge_key=merge_key,
        patch_strategy=strategy,
    )


STATUS = an_object(phase=STRING, conditions=keyed(an_object(type=STRING, status=STRING), "type"))

WIDGET = an_object(
    spec=an_object(
        title=STRING,
        count=INTEGER,
        enabled=BOOLEAN,
        size=INT_OR_STRING,
        note=Schema(type="string", nullable=True),
        hosts=a_set(STRING),
        numbers=a_set(INTEGER),
        tags=a_list(STRING),
        ports=keyed(
            an_object(port=INTEGER, protocol=Schema(type="string", default="TCP"), name=STRING, target=INT_OR_STRING),
            "port",
            "protocol",
        ),
        parts=keyed(
            an_object(name=STRING, value=STRING, nested=an_object(a=STRING, b=STRING), hosts=a_set(STRING)), "name"
        ),
        selector=Schema(type="object", additional=STRING, map_type="atomic"),
        options=STRINGS,
        inner=an_object(a=STRING, b=STRING, deep=an_object(c=STRING, d=STRING)),
        whole=Schema(type="object", properties={"a": STRING, "b": STRING}, map_type="atomic"),
        free=Schema(type="object", preserve_unknown=True),
        rules=a_list(an_object(path=STRING, to=STRING)),
    ),
    status=STATUS,
)

SERVICE = an_object(
    spec=an_object(
        type=STRING,
        clusterIP=STRING,
        clusterIPs=a_list(STRING),
        sessionAffinity=STRING,
        internalTrafficPolicy=STRING,
        ipFamilies=a_list(STRING),
        ipFamilyPolicy=STRING,
        selector=Schema(type="object", additional=STRING, map_type="atomic"),
        ports=keyed(
            an_object(
                name=STRING,
                port=INTEGER,
                protocol=Schema(type="string", default="TCP"),
                targetPort=INT_OR_STRING,
            ),
            "port",
            "protocol",
            merge_key="port",
        ),
    ),
    status=an_object(loadBalancer=an_object()),
)

CONFIG_MAP = an_object(data=STRINGS)

_REFERENCE = an_object(group=STRING, kind=STRING, namespace=STRING, name=STRING, port=INTEGER, weight=INTEGER)
_ROUTE_PATH = an_object(type=STRING, value=STRING)
HTTP_ROUTE = an_object(
    spec=an_object(
        parentRefs=a_list(_REFERENCE),
        hostnames=a_list(STRING),
        rules=a_list(an_object(matches=a_list(an_object(path=_ROUTE_PATH)), backendRefs=a_list(_REFERENCE))),
    ),
    status=an_object(
        parents=a_list(
            an_object(parentRef=_REFERENCE, controllerName=STRING, conditions=keyed(an_object(type=STRING), "type"))
        )
    ),
)

KINDS = {
    "Widget": ("example.com/v1", WIDGET),
    "Service": ("v1", SERVICE),
    "ConfigMap": ("v1", CONFIG_MAP),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", HTTP_ROUTE),
}
