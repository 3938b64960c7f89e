"""Label selectors in their structured form."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.gatewayapi.selectors import selects

LABELS = {"team": "blue", "env": "live"}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ({}, True),
        ({"matchLabels": {"team": "blue"}}, True),
        ({"matchLabels": {"team": "blue", "env": "test"}}, False),
        ({"matchExpressions": [{"key": "env", "operator": "In", "values": ["live", "test"]}]}, True),
        ({"matchExpressions": [{"key": "other", "operator": "In", "values": ["live"]}]}, False),
        ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["test"]}]}, True),
        ({"matchExpressions": [{"key": "other", "operator": "NotIn", "values": ["test"]}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"team": "blue"}, "matchExpressions": [{"key": "other", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "env", "operator": "Near", "values": ["live"]}]}, False),
    ],
)
def test_selects(selector: dict[str, Any], chosen: bool) -> None:
    assert selects(selector, LABELS) is chosen
