"""Where our answers differ from kube-apiserver's on purpose: (case, command) and why."""

from __future__ import annotations

_FAMILIES = "nothing allocates cluster IPs here, so address families are not filled in"
_CLEANUP = "the finalizer that deletes instances is there from the start, not only from the deletion on"
_NOT_ENFORCED = "policies are stored and not enforced, and a warning says so"
_PATCH_REASON = "kube-apiserver drops the reason why a JSON patch does not apply; we say it"
_PATCH_SHOWN = "a refused patch is shown with the fields of its result in the order that we store them in"
_JSON_NAMES = "a strategic merge patch is decoded like any other body, so its refusal reads like any other"

DIFFERENCES: dict[tuple[str, str], str] = {
    ("service", "get service -o yaml"): _FAMILIES,
    ("service", "describe service"): _FAMILIES,
    ("headless", "get service -o yaml"): _FAMILIES,
    ("headless", "describe service"): _FAMILIES,
    ("applied", "diff -f changed.yaml"): _FAMILIES,
    ("new-event", "create -f object.yaml"): "events are served in the core group alone, not in events.k8s.io as well",
    ("policy", "create -f object.yaml"): _NOT_ENFORCED,
    ("policy-binding", "create -f object.yaml"): _NOT_ENFORCED,
    ("generations", "create -f slice.yaml -f policy.yaml"): _NOT_ENFORCED,
    ("generations", "label validatingadmissionpolicy counted more=1"): _NOT_ENFORCED,
    (
        "generations",
        'patch validatingadmissionpolicy counted --type=merge -p \'{"spec":{"failurePolicy":"Ignore"}}\'',
    ): _NOT_ENFORCED,
    ("ruled-definition", "create -f object.yaml"): "rules in CEL are stored and not evaluated, and a warning says so",
    ("ruled-definition", "get crd ruled.example.dev -o yaml"): _CLEANUP,
    ("ruled-definition", "describe crd ruled.example.dev"): _CLEANUP,
    ("official-gatewayclass", "explain gatewayclass"): "apiVersion, kind and metadata are described in our words",
    ("namespace", "describe namespace case-namespace"): "quotas and limit ranges are not served here",
    ("rename-route", "replace -f other.yaml"): "kube-apiserver adds the words of its storage",
    (
        "https-without-certificate",
        "create -f object.yaml",
    ): "we say what the rule says; kube-apiserver also which key the rule missed while it was evaluated",
    ("patches", 'patch httproute one --type=json -p \'[{"op":"remove","path":"/spec/nothing"}]\''): _PATCH_REASON,
    (
        "patches",
        'patch httproute one --type=json -p \'[{"op":"test","path":"/spec/hostnames/0","value":"x"}]\'',
    ): _PATCH_REASON,
    ("patches", 'patch httproute one --type=json -p \'[{"op":"jump","path":"/spec"}]\''): _PATCH_REASON,
    ("patched-types", 'patch service one -p \'{"spec":{"type":5}}\''): _JSON_NAMES,
    ("patched-types", 'patch service one --type=merge -p \'{"spec":{"ports":"x"}}\''): _PATCH_SHOWN,
    (
        "patched-types",
        'patch service one --type=json -p \'[{"op":"add","path":"/spec/selector","value":[]}]\'',
    ): _PATCH_SHOWN,
    (
        "patched-types",
        'patch service one --type=merge -p \'{"metadata":{"annotations":{"a":1}}}\'',
    ): "metadata of a wrong type is refused with 400, from a patch as from a body, and the patch is not shown",
    (
        "patched-types",
        "apply --server-side --field-manager=x -f wrong.yaml",
    ): "a mistake in what is applied is the client's (400), not the server's (500), and the value is named",
}
