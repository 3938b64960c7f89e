"""Sequences of kubectl commands whose output is compared with a real kube-apiserver's.

Each case has a namespace of its own, named after it, and files that its commands may read. Cluster-wide objects are
removed by the case that made them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.kubernetes import documents as d


@dataclass(frozen=True, slots=True)
class Case:
    """commands: arguments of kubectl. official: explains the official CRDs, so its output is kept as a digest only."""

    name: str
    commands: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    official: bool = False

    @property
    def namespace(self) -> str:
        """Where its objects lie."""
        return f"case-{self.name}"


def _shown(name: str, resource: str, document: str, *more: str) -> Case:
    """An object as every form of `kubectl get` shows it, and described."""
    commands = (
        "create -f object.yaml",
        f"get {resource}",
        f"get {resource} -o wide",
        f"get {resource} --show-labels",
        f"get {resource} --all-namespaces --field-selector=metadata.namespace=case-{name}",
        f"get {resource} -o name",
        f"get {resource} -o yaml",
        f"describe {resource}",
        *more,
        f"delete {resource} --all",
        f"get {resource}",
    )
    return Case(name, commands, {"object.yaml": document})


def _shown_once(name: str, resource: str, document: str) -> Case:
    """The same for an object that has no namespace and is not the only one of its kind."""
    commands = (
        "create -f object.yaml",
        f"get {resource}",
        f"get {resource} -o wide",
        f"get {resource} --show-labels",
        f"get {resource} --all-namespaces",
        f"get {resource} -o name",
        f"get {resource} -o yaml",
        f"describe {resource}",
        f"delete {resource}",
    )
    return Case(name, commands, {"object.yaml": document})


def _refused(name: str, document: str, *commands: str, **files: str) -> Case:
    """A mistake: what is refused, and with which words."""
    named = {key if key == "editor" else f"{key}.yaml": text for key, text in files.items()}
    return Case(name, commands or ("create -f object.yaml",), {"object.yaml": document, **named})


TABLES = (
    _shown("configmap", "configmap", d.CONFIGMAP),
    _shown("secret", "secret", d.SECRET),
    Case("tls-secret", ("create -f object.yaml", "get secret", "get secret -o yaml"), {"object.yaml": d.TLS_SECRET}),
    _shown("service", "service", d.SERVICE),
    _shown("headless", "service", d.HEADLESS),
    _shown("external-name", "service", d.EXTERNAL_NAME),
    _shown("endpointslice", "endpointslice", d.ENDPOINT_SLICE),
    _shown("lease", "lease", d.LEASE),
    _shown("event", "event", d.EVENT),
    _shown("gateway", "gateway", d.GATEWAY),
    _shown("httproute", "httproute", d.HTTP_ROUTE),
    _shown("tlsroute", "tlsroute", d.TLS_ROUTE),
    _shown("tcproute", "tcproute.v1alpha2.gateway.networking.k8s.io", d.TCP_ROUTE),
    _shown("udproute", "udproute.v1alpha2.gateway.networking.k8s.io", d.UDP_ROUTE),
    _shown("grpcroute", "grpcroute", d.GRPC_ROUTE),
    _shown("referencegrant", "referencegrant", d.REFERENCE_GRANT),
    _shown("backendtlspolicy", "backendtlspolicy", d.BACKEND_TLS_POLICY),
    _shown("listenerset", "listenerset", d.LISTENER_SET),
    _shown("xbackend", "xbackend", d.X_BACKEND),
    _shown("xbackendtrafficpolicy", "xbackendtrafficpolicy", d.X_BACKEND_TRAFFIC_POLICY),
    Case("new-event", ("create -f object.yaml",), {"object.yaml": d.NEW_EVENT}),
    _shown_once("gatewayclass", "gatewayclass example", d.GATEWAY_CLASS),
    _shown_once("policy", "validatingadmissionpolicy example", d.POLICY),
    _shown_once("policy-binding", "validatingadmissionpolicybinding example", d.POLICY_BINDING),
    _shown_once("xmesh", "xmesh example", d.X_MESH),
    _shown_once("ruled-definition", "crd ruled.example.dev", d.RULED_DEFINITION),
    Case(
        "generations",
        (
            "create -f slice.yaml -f policy.yaml",
            "label endpointslice one more=1",
            "annotate endpointslice one more=1",
            "get endpointslice one -o jsonpath='{.metadata.generation}'",
            "patch endpointslice one --type=merge -p '{\"ports\":[]}'",
            "get endpointslice one -o jsonpath='{.metadata.generation}'",
            "label validatingadmissionpolicy counted more=1",
            "get validatingadmissionpolicy counted -o jsonpath='{.metadata.generation}'",
            'patch validatingadmissionpolicy counted --type=merge -p \'{"spec":{"failurePolicy":"Ignore"}}\'',
            "get validatingadmissionpolicy counted -o jsonpath='{.metadata.generation}'",
            "delete validatingadmissionpolicy counted",
        ),
        {"slice.yaml": d.ENDPOINT_SLICE, "policy.yaml": d.POLICY.replace("name: example", "name: counted")},
    ),
    Case(
        "terminating",
        (
            "create -f object.yaml",
            "delete -f object.yaml --wait=false",
            "get configmap",
            "get httproute,gateway -o wide",
            "get configmap one -o yaml",
            "get httproute one -o yaml",
            "describe configmap one",
            "describe httproute one",
            "create -f object.yaml",
            'patch configmap one --type=merge -p \'{"metadata":{"finalizers":["example.dev/more"]}}\'',
            "delete httproute one --wait=false",
            'patch httproute one --type=merge -p \'{"metadata":{"finalizers":null}}\'',
            'patch gateway one --type=merge -p \'{"metadata":{"finalizers":null}}\'',
            'patch configmap one --type=merge -p \'{"metadata":{"finalizers":null}}\'',
            "get configmap,httproute,gateway",
        ),
        {"object.yaml": d.TERMINATING},
    ),
    Case(
        "namespace",
        (
            "get namespace case-namespace",
            "get namespace case-namespace -o wide --show-labels",
            "get namespace case-namespace -o yaml",
            "describe namespace case-namespace",
        ),
    ),
    Case(
        "definition",
        (
            "create -f object.yaml",
            "wait --for=condition=Established crd/things.example.dev",
            "get crd things.example.dev",
            "get crd things.example.dev -o jsonpath='{.status.acceptedNames}{.status.storedVersions}'",
            "get crd things.example.dev -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason} {end}'",
            "delete crd things.example.dev",
        ),
        {"object.yaml": d.DEFINITION},
    ),
)

EXPLAINED = tuple(
    Case(f"explain-{path.replace('.', '-').lower()}", (f"explain {path}",))
    for path in (
        "configmap",
        "secret",
        "namespace",
        "namespace.spec",
        "service",
        "service.spec",
        "service.spec.ports",
        "endpointslice",
        "endpointslice.endpoints",
        "lease.spec",
        "event",
        "gateway",
        "gateway.metadata",
        "gateway.metadata.ownerReferences",
        "gateway.spec",
        "gateway.spec.listeners",
        "gateway.spec.listeners.tls",
        "gateway.status",
        "gatewayclass.spec",
        "httproute",
        "httproute.spec",
        "httproute.spec.parentRefs",
        "httproute.spec.rules",
        "httproute.spec.rules.matches",
        "httproute.spec.rules.filters",
        "httproute.status.parents",
        "tlsroute.spec.rules",
        "referencegrant.spec",
        "backendtlspolicy.spec",
        "grpcroute.spec.rules",
        "listenerset.spec",
    )
)

WHOLE = tuple(
    Case(f"whole-{path.replace('.', '-').lower()}", (f"explain {path} --recursive",))
    for path in (
        "configmap",
        "secret",
        "namespace",
        "service",
        "event",
        "endpointslice",
        "lease",
        "crd",
        "validatingadmissionpolicy",
        "validatingadmissionpolicybinding",
        "gatewayclass",
        "gateway",
        "httproute",
        "grpcroute",
        "tlsroute",
        "tcproute.v1alpha2.gateway.networking.k8s.io",
        "udproute.v1alpha2.gateway.networking.k8s.io",
        "listenerset",
        "referencegrant",
        "backendtlspolicy",
        "xbackend",
        "xbackendtrafficpolicy",
        "xmesh",
    )
)

OFFICIAL = tuple(
    Case(f"official-{path.replace('.', '-').lower()}", (f"explain {path}",), official=True)
    for path in ("gateway.spec", "httproute.spec.rules", "gatewayclass", "tlsroute.spec", "referencegrant.spec.from")
)

MISTAKES = (
    _refused("misspelt-field", d.HTTP_ROUTE.replace("hostnames:", "hostname:")),
    _refused("misspelt-nested", d.GATEWAY.replace("protocol: HTTP", "protocol: HTTP\n    protocoll: HTTP")),
    _refused("misspelt-core", d.SERVICE.replace("selector:", "selectors:")),
    _refused("two-misspelt", d.HTTP_ROUTE.replace("hostnames:", "hostname:").replace("rules:", "rule:")),
    _refused("wrong-type", d.GATEWAY.replace("port: 80", "port: eighty")),
    _refused("wrong-type-core", d.SERVICE.replace("port: 80", "port: eighty")),
    _refused("string-for-list", d.HTTP_ROUTE.replace("hostnames: [www.example.com]", "hostnames: www.example.com")),
    _refused("missing-required", d.GATEWAY.replace("gatewayClassName: gatehouse", "infrastructure: {}")),
    _refused("missing-listeners", d.GATEWAY.split("  listeners:")[0]),
    _refused("bad-enum", d.HTTP_ROUTE.replace("PathPrefix", "Prefixed")),
    _refused("bad-pattern", d.HTTP_ROUTE.replace("www.example.com", "Www_Example")),
    _refused("port-too-high", d.GATEWAY.replace("port: 80", "port: 70000")),
    _refused("too-long", d.HTTP_ROUTE.replace("www.example.com", "a" * 260)),
    _refused("too-many", d.HTTP_ROUTE.replace("[www.example.com]", str([f"h{i}.example" for i in range(17)]))),
    _refused("path-without-slash", d.HTTP_ROUTE.replace("value: /", "value: x")),
    _refused("duplicate-listener", d.GATEWAY + d.SECOND_LISTENER),
    _refused("redirect-and-backend", d.HTTP_ROUTE + d.REDIRECT_FILTER),
    _refused("bad-name", d.CONFIGMAP.replace("name: one", "name: One_Two")),
    _refused("bad-route-name", d.HTTP_ROUTE.replace("name: one", "name: One_Two")),
    _refused("bad-namespace-name", "", "create namespace Bad_Name"),
    _refused("no-name", d.CONFIGMAP.replace("name: one", "labels: {}")),
    _refused("bad-label", d.CONFIGMAP.replace("app: shop", "app: 'sh op'")),
    _refused("bad-label-key", d.CONFIGMAP.replace("app: shop", "'a b': shop")),
    _refused("bad-data-key", d.CONFIGMAP.replace("colour: green", "'a b': green")),
    _refused("bad-base64", d.SECRET.replace("c2VjcmV0", "no base64!")),
    _refused("service-without-ports", d.SERVICE.split("  ports:")[0]),
    _refused("service-port-range", d.SERVICE.replace("port: 80", "port: 0")),
    _refused("service-twice-the-port", d.SERVICE + "  - name: web2\n    port: 80\n"),
    _refused("slice-without-type", d.ENDPOINT_SLICE.replace("addressType: IPv4\n", "")),
    _refused("slice-bad-address", d.ENDPOINT_SLICE.replace("10.1.2.3", "10.1.2")),
    _refused("lease-negative", d.LEASE.replace("leaseDurationSeconds: 15", "leaseDurationSeconds: -1")),
    _refused("exists-already", d.CONFIGMAP, "create -f object.yaml", "create -f object.yaml"),
    _refused("route-exists", d.HTTP_ROUTE, "create -f object.yaml", "create -f object.yaml"),
    _refused("unknown-kind", d.CONFIGMAP.replace("kind: ConfigMap", "kind: ConfigMup")),
    _refused("unknown-version", d.HTTP_ROUTE.replace("networking.k8s.io/v1", "networking.k8s.io/v9")),
    _refused(
        "not-found",
        "",
        "get configmap nothing",
        "get httproute nothing",
        "get gatewayclass nothing",
        "delete configmap nothing",
        "delete httproute nothing",
        "describe gateway nothing",
        "label configmap nothing a=b",
        "patch httproute nothing --type=merge -p {}",
        "delete configmap nothing --ignore-not-found",
        "get nosuchthings",
    ),
    _refused("missing-namespace", d.CONFIGMAP, "create -f object.yaml --namespace=nowhere"),
    _refused("missing-namespace-route", d.HTTP_ROUTE, "create -f object.yaml --namespace=nowhere"),
    _refused("other-namespace", d.CONFIGMAP.replace("name: one", "name: one\n  namespace: elsewhere")),
    _refused(
        "bad-selector",
        "",
        "get configmap -l 'a in b'",
        "get configmap -l '!!'",
        "get httproute -l 'a=b=c'",
        "get configmap --field-selector=data.x=1",
        "get httproute --field-selector=spec.x=1",
        "get service --field-selector=metadata.name",
    ),
    _refused(
        "immutable",
        d.IMMUTABLE_SECRET,
        "create -f object.yaml",
        'patch secret one -p \'{"stringData":{"a":"b"}}\'',
        "patch secret one -p '{\"immutable\":false}'",
        "create -f typed.yaml",
        'patch secret two -p \'{"type":"kubernetes.io/tls"}\'',
        typed=d.SECRET.replace("name: one", "name: two"),
    ),
    _refused(
        "rename-route",
        d.HTTP_ROUTE,
        "create -f object.yaml",
        'patch httproute one --type=merge -p \'{"metadata":{"name":"two"}}\'',
        'patch httproute one --type=merge -p \'{"metadata":{"uid":"x"}}\'',
        'patch httproute one --type=merge -p \'{"metadata":{"namespace":"two"}}\'',
        "replace -f other.yaml",
        other=d.HTTP_ROUTE.replace("name: one", "name: one\n  uid: x"),
    ),
    _refused(
        "two-problems",
        d.SERVICE.replace("app: shop", "app: 'sh op'").replace("port: 80", "port: 0"),
    ),
    _refused(
        "two-problems-route",
        d.HTTP_ROUTE.replace("app: shop", "app: 'sh op'").replace("value: /", "value: x"),
    ),
    _refused(
        "rename",
        d.CONFIGMAP,
        "create -f object.yaml",
        'patch configmap one --type=merge -p \'{"metadata":{"name":"two"}}\'',
        'patch configmap one --type=merge -p \'{"metadata":{"uid":"x"}}\'',
        'patch configmap one --type=merge -p \'{"metadata":{"namespace":"two"}}\'',
    ),
    _refused(
        "stale",
        d.CONFIGMAP,
        "create -f object.yaml",
        "replace -f stale.yaml",
        'patch configmap one --type=merge -p \'{"metadata":{"resourceVersion":"1"}}\'',
        stale=d.CONFIGMAP.replace("name: one", 'name: one\n  resourceVersion: "1"'),
    ),
    _refused(
        "stale-route",
        d.HTTP_ROUTE,
        "create -f object.yaml",
        "replace -f stale.yaml",
        "replace -f object.yaml",
        stale=d.HTTP_ROUTE.replace("name: one", 'name: one\n  resourceVersion: "1"'),
    ),
    _refused(
        "patches",
        d.HTTP_ROUTE,
        "create -f object.yaml",
        'patch httproute one --type=json -p \'[{"op":"remove","path":"/spec/nothing"}]\'',
        'patch httproute one --type=json -p \'[{"op":"test","path":"/spec/hostnames/0","value":"x"}]\'',
        'patch httproute one --type=json -p \'[{"op":"jump","path":"/spec"}]\'',
        'patch httproute one --type=json -p \'[{"op":"replace","path":"/spec/hostnames","value":5}]\'',
        'patch httproute one --type=merge -p \'{"spec":{"hostnames":"x"}}\'',
        "patch httproute one -p '{\"spec\":{}}'",
        "patch httproute one --type=merge -p '{}'",
        'patch httproute one --type=json -p \'[{"op":"add","path":"/spec/hostnames/-","value":"b.example.com"}]\'',
        "get httproute one",
    ),
    _refused("replace-missing", d.CONFIGMAP, "replace -f object.yaml"),
    _refused("replace-missing-route", d.HTTP_ROUTE, "replace -f object.yaml"),
    _refused(
        "apply-conflict",
        d.CONFIGMAP,
        "apply --server-side --field-manager=first -f object.yaml",
        "apply --server-side --field-manager=second -f other.yaml",
        "apply --server-side --field-manager=second --force-conflicts -f other.yaml",
        "get configmap one -o jsonpath='{.data}'",
        other=d.CONFIGMAP.replace("green", "red"),
    ),
    _refused(
        "apply-conflict-route",
        d.HTTP_ROUTE,
        "apply --server-side --field-manager=first -f object.yaml",
        "apply --server-side --field-manager=second -f other.yaml",
        "apply --server-side --field-manager=second --force-conflicts -f other.yaml",
        "get httproute one -o jsonpath='{.spec.hostnames}'",
        other=d.HTTP_ROUTE.replace("www.example.com", "other.example.com"),
    ),
    _refused(
        "applied",
        d.SERVICE,
        "apply -f object.yaml",
        "apply -f object.yaml",
        "diff -f changed.yaml",
        "apply -f changed.yaml",
        "get service one -o jsonpath='{.spec.ports}'",
        "apply -f changed.yaml --dry-run=server",
        changed=d.SERVICE.replace("port: 80", "port: 81"),
    ),
    _refused(
        "applied-route",
        d.HTTP_ROUTE,
        "apply -f object.yaml",
        "apply -f object.yaml",
        "diff -f changed.yaml",
        "apply -f changed.yaml",
        "get httproute one -o jsonpath='{.spec.hostnames} {.metadata.generation}'",
        changed=d.HTTP_ROUTE.replace("www.example.com", "changed.example.com"),
    ),
    _refused("protected-namespace", "", "delete namespace default", "delete namespace kube-system"),
    _refused(
        "owned-by-two",
        d.CONFIGMAP.replace("name: one", "name: one\n  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: x}]"),
    ),
    _refused("dry-run", d.CONFIGMAP, "create -f object.yaml --dry-run=server", "get configmap one"),
    _refused(
        "edited",
        d.CONFIGMAP,
        "create -f object.yaml",
        "edit configmap one",
        "get configmap one -o jsonpath='{.data.colour}'",
        "label configmap one app=other",
        "label configmap one app=other --overwrite",
        "label configmap one app-",
        "annotate configmap one note='a b'",
        "label configmap one 'x y=z'",
        "get configmap one --show-labels",
        editor='sed -i s/green/blue/ "$1"\n',
    ),
    _refused("set-rv", d.CONFIGMAP.replace("name: one", 'name: one\n  resourceVersion: "5"')),
    _refused("status-not-there", "", "get configmap one --subresource=status"),
    _refused(
        "whoami",
        "",
        "auth can-i get configmaps",
        "auth can-i create gateways.gateway.networking.k8s.io",
        "auth can-i '*' '*'",
    ),
    _refused("wait-for-nothing", "", "wait --for=delete cm/one --timeout=1s", "wait --for=create cm/one --timeout=1s"),
)

_BACKEND = "    backendRefs:\n    - name: shop\n      port: 80\n"
_ROUTE_HEAD = d.HTTP_ROUTE.removesuffix(_BACKEND)


def _ruled(extra: str) -> str:
    """The HTTPRoute with more in its only rule."""
    return d.HTTP_ROUTE + "".join(f"    {line}\n" for line in extra.splitlines())


def _matched(match: str) -> str:
    return d.HTTP_ROUTE.replace("path: {type: PathPrefix, value: /}", match)


_SET_HEADER = "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}]}}"
_REDIRECT = "{type: RequestRedirect, requestRedirect: {hostname: other.example.com}}"
_REWRITE = "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}"
_REDIRECT_CODE = "    filters: [{type: RequestRedirect, requestRedirect: {statusCode: 200}}]\n"
_AUTHORITY_REFERENCE = "    caCertificateRefs: [{group: '', kind: ConfigMap, name: authority}]\n"
_TWICE_THE_HEADER = "headers: [{name: a, value: b}, {name: a, value: c}]"

GATEWAY_MISTAKES = (
    _refused("hostname-with-port", d.HTTP_ROUTE.replace("www.example.com", "www.example.com:8080")),
    _refused("wildcard-inside", d.HTTP_ROUTE.replace("www.example.com", "'www.*.com'")),
    _refused("wildcard-alone", d.HTTP_ROUTE.replace("www.example.com", "'*'")),
    _refused("wildcard-listener", d.GATEWAY + "    hostname: '*.*.example.com'\n"),
    _refused("address-as-hostname", d.HTTP_ROUTE.replace("www.example.com", "10.0.0.1")),
    _refused("double-slash", d.HTTP_ROUTE.replace("value: /", "value: //x")),
    _refused("encoded-slash", d.HTTP_ROUTE.replace("value: /", "value: /a%2Fb")),
    _refused("duplicate-header-match", _matched(_TWICE_THE_HEADER)),
    _refused("duplicate-query-match", _matched("queryParams: [{name: a, value: b}, {name: a, value: c}]")),
    _refused("bad-header-name", _matched("headers: [{name: 'a b', value: c}]")),
    _refused("bad-method", _matched("method: FETCH")),
    _refused("weight-negative", d.HTTP_ROUTE + "      weight: -1\n"),
    _refused("weight-too-large", d.HTTP_ROUTE + "      weight: 1000001\n"),
    _refused("port-zero", d.HTTP_ROUTE.replace("port: 80", "port: 0")),
    _refused("service-without-port", d.HTTP_ROUTE.replace("      port: 80\n", "")),
    _refused("timeout-form", _ruled("timeouts: {request: 10 seconds}")),
    _refused("timeout-number", _ruled("timeouts: {request: 10}")),
    _refused("timeout-fraction", _ruled("timeouts: {request: 1.5s}")),
    _refused("backend-timeout-longer", _ruled("timeouts: {request: 1s, backendRequest: 2s}")),
    _refused("filter-twice", _ruled(f"filters: [{_SET_HEADER}, {_SET_HEADER}]")),
    _refused("redirect-twice", _ROUTE_HEAD + f"    filters: [{_REDIRECT}, {_REDIRECT}]\n"),
    _refused("filter-empty", _ruled("filters: [{type: RequestHeaderModifier}]")),
    _refused("filter-of-other-type", _ruled("filters: [{type: URLRewrite, requestRedirect: {port: 80}}]")),
    _refused("filter-unknown", _ruled("filters: [{type: Compress}]")),
    _refused("redirect-code", _ROUTE_HEAD + _REDIRECT_CODE),
    _refused("redirect-and-rewrite", _ROUTE_HEAD + f"    filters: [{_REDIRECT}, {_REWRITE}]\n"),
    _refused("rewrite-of-exact", _ruled(f"filters: [{_REWRITE}]").replace("PathPrefix", "Exact")),
    _refused("parent-twice", d.HTTP_ROUTE.replace("  - name: gateway\n", "  - name: gateway\n  - name: gateway\n")),
    _refused(
        "parent-section",
        d.HTTP_ROUTE.replace("  - name: gateway\n", "  - {name: gateway, sectionName: a}\n  - name: gateway\n"),
    ),
    _refused("rule-name-twice", d.HTTP_ROUTE.replace("  - matches", "  - {name: a}\n  - {name: a}\n  - matches")),
    _refused("grant-without-from", d.REFERENCE_GRANT.replace("  from:", "  unused:")),
    _refused(
        "grant-from-nobody", d.REFERENCE_GRANT.split("  from:")[0] + "  from: []\n  to: [{group: '', kind: Service}]\n"
    ),
    _refused("grant-without-kind", d.REFERENCE_GRANT.replace("    kind: HTTPRoute\n", "")),
    _refused("policy-without-hostname", d.BACKEND_TLS_POLICY.replace("    hostname: shop.example.com\n", "")),
    _refused("policy-without-authority", d.BACKEND_TLS_POLICY.replace("    wellKnownCACertificates: System\n", "")),
    _refused("policy-two-authorities", d.BACKEND_TLS_POLICY + _AUTHORITY_REFERENCE),
    _refused("policy-without-target", d.BACKEND_TLS_POLICY.replace("    name: shop\n", "")),
    _refused("https-without-certificate", d.HTTPS_GATEWAY.split("      certificateRefs")[0]),
    _refused("https-without-tls", d.HTTPS_GATEWAY.split("    tls:")[0]),
    _refused("https-passthrough", d.HTTPS_GATEWAY.replace("Terminate", "Passthrough")),
    _refused("http-with-tls", d.HTTPS_GATEWAY.replace("protocol: HTTPS", "protocol: HTTP")),
    _refused("tcp-with-hostname", d.GATEWAY.replace("protocol: HTTP", "protocol: TCP\n    hostname: a.example")),
    _refused("protocol-in-words", d.GATEWAY.replace("protocol: HTTP", "protocol: 'http 1'")),
    _refused("listener-name", d.GATEWAY.replace("name: web", "name: Web_1")),
    _refused("listeners-alike", d.GATEWAY + d.SECOND_LISTENER.replace("name: web", "name: web2")),
    _refused("bad-address", d.GATEWAY + "  addresses: [{type: IPAddress, value: 10.0.0}]\n"),
    _refused("address-twice", d.GATEWAY + "  addresses: [{value: 10.0.0.1}, {value: 10.0.0.1}]\n"),
    _refused("namespaces-from", d.GATEWAY + "    allowedRoutes: {namespaces: {from: Some}}\n"),
    _refused("controller-name", d.GATEWAY_CLASS.replace("example.dev/controller", "controller")),
    _refused(
        "controller-changed",
        d.GATEWAY_CLASS.replace("name: example", "name: changing"),
        "create -f object.yaml",
        'patch gatewayclass changing --type=merge -p \'{"spec":{"controllerName":"example.dev/other"}}\'',
        "delete gatewayclass changing",
    ),
    _refused("grpc-empty-method", d.GRPC_ROUTE.replace("{service: shop.Cart, method: Add}", "{type: Exact}")),
    _refused("grpc-bad-service", d.GRPC_ROUTE.replace("shop.Cart", "shop/Cart")),
    _refused("tls-route-no-hostname", d.TLS_ROUTE.replace("  hostnames: [www.example.com]\n", "")),
    _refused("tls-route-address", d.TLS_ROUTE.replace("www.example.com", "10.0.0.1")),
    _refused("tcp-route-two-rules", d.TCP_ROUTE + d.TCP_ROUTE.partition("  rules:\n")[2]),
    _refused("tcp-route-no-rules", d.TCP_ROUTE.partition("  rules:\n")[0]),
    _refused("listener-set-no-parent", d.LISTENER_SET.replace("  parentRef:\n    name: gateway\n", "")),
    _refused("listener-set-empty", d.LISTENER_SET.partition("  listeners:")[0]),
)

_PLACED_NOWHERE = d.EVENT.replace(", namespace: case-event", "").replace("  namespace: case-event\n", "")

TYPE_MISTAKES = (
    _refused("number-in-data", d.CONFIGMAP.replace("green", "8080")),
    _refused("boolean-in-data", d.CONFIGMAP.replace("green", "true")),
    _refused("list-in-data", d.CONFIGMAP.replace("green", "[a]")),
    _refused("list-as-data", d.CONFIGMAP.replace("  colour: green", "- colour")),
    _refused("number-as-label", d.CONFIGMAP.replace("app: shop", "app: 1")),
    _refused("number-as-label-route", d.HTTP_ROUTE.replace("app: shop", "app: 1")),
    _refused("boolean-as-annotation", d.HTTP_ROUTE.replace("labels: {app: shop}", "annotations: {a: true}")),
    _refused("list-as-labels", d.CONFIGMAP.replace("{app: shop}", "[app]")),
    _refused("number-as-name", d.CONFIGMAP.replace("name: one", "name: 1")),
    _refused("text-as-metadata", d.CONFIGMAP.partition("metadata:")[0] + "metadata: one\n"),
    _refused("text-as-spec", d.SERVICE.partition("spec:")[0] + "spec: x\n"),
    _refused("text-as-ports", d.SERVICE.partition("  ports:")[0] + "  ports: x\n"),
    _refused("text-as-port", d.SERVICE.partition("  ports:")[0] + "  ports: [x]\n"),
    _refused("port-too-large-to-read", d.SERVICE.replace("port: 80", "port: 80000000000")),
    _refused("port-fraction", d.SERVICE.replace("port: 80\n", "port: 80.5\n")),
    _refused("boolean-as-target-port", d.SERVICE.replace("8080", "true")),
    _refused("number-as-service-type", d.SERVICE.replace("spec:", "spec:\n  type: 5")),
    _refused("text-as-boolean", d.IMMUTABLE_SECRET.replace("immutable: true", "immutable: 'true'")),
    _refused("number-in-secret", d.SECRET.replace("c2VjcmV0", "5")),
    _refused("number-in-string-data", d.SECRET.replace("\ndata:", "\nstringData:").replace("c2VjcmV0", "5")),
    _refused("text-as-ready", d.ENDPOINT_SLICE.replace("ready: false", "ready: 'false'")),
    _refused("text-as-endpoints", d.ENDPOINT_SLICE.partition("endpoints:")[0] + "endpoints: x\n"),
    _refused("text-as-duration", d.LEASE.replace("15", "15s")),
    _refused("bad-time", d.LEASE + "  renewTime: yesterday\n"),
    _refused("bad-event-time", _PLACED_NOWHERE + "firstTimestamp: yesterday\n"),
    _refused("text-as-count", _PLACED_NOWHERE.replace("count: 3", "count: three")),
    _refused("text-as-served", d.DEFINITION.replace("served: true", "served: 'yes'").replace("things", "others")),
    _refused("text-as-validations", d.POLICY.partition("  validations:")[0] + "  validations: x\n"),
    _refused("list-as-object", "- a\n- b\n"),
    _refused("text-as-kind", d.CONFIGMAP.replace("kind: ConfigMap", "kind: 5")),
    _refused(
        "patched-types",
        d.HEADLESS,
        "create -f object.yaml",
        'patch service one -p \'{"spec":{"type":5}}\'',
        'patch service one --type=merge -p \'{"spec":{"ports":"x"}}\'',
        'patch service one --type=json -p \'[{"op":"add","path":"/spec/selector","value":[]}]\'',
        'patch service one --type=merge -p \'{"spec":{"unknown":1}}\'',
        'patch service one --type=merge -p \'{"metadata":{"annotations":{"a":1}}}\'',
        'patch service one --type=merge -p \'{"metadata":{"annotations":{}}}\'',
        "get service one -o jsonpath='{.metadata.annotations}'",
        "apply --server-side --field-manager=x -f wrong.yaml",
        wrong=d.HEADLESS.replace("port: 80\n", "port: eighty\n"),
    ),
    _refused(
        "empty-annotations",
        d.CONFIGMAP.replace("labels: {app: shop}", "annotations: {}\n  labels: {}"),
        "create -f object.yaml",
        "get configmap one -o yaml",
    ),
    _refused(
        "empty-annotations-route",
        d.HTTP_ROUTE.replace("labels: {app: shop}", "annotations: {}\n  labels: {}"),
        "create -f object.yaml",
        "get httproute one -o yaml",
    ),
)

CASES = (*TABLES, *EXPLAINED, *WHOLE, *OFFICIAL, *MISTAKES, *GATEWAY_MISTAKES, *TYPE_MISTAKES)
