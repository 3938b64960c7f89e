"""Suite and product speak of one version of the Gateway API."""

from __future__ import annotations

import re

from store.kinds.definitions import BUNDLE_VERSION
from tests.conformance.binaries import MODULE


def test_the_suite_is_pinned_at_the_version_that_the_product_serves() -> None:
    pins = dict(re.findall(r"^\s*(sigs\.k8s\.io/gateway-api\S*) (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE))
    assert pins == {
        "sigs.k8s.io/gateway-api": BUNDLE_VERSION,
        "sigs.k8s.io/gateway-api/conformance": BUNDLE_VERSION,
    }
