"""The features that a GatewayClass promises, as the API wants them listed."""

from __future__ import annotations

from appliance.gatewayapi.classes import SUPPORTED_FEATURES

STATUS_LIMIT = 64


def test_features_are_sorted_and_named_once_and_fit_into_the_status() -> None:
    assert list(SUPPORTED_FEATURES) == sorted(set(SUPPORTED_FEATURES))
    assert len(SUPPORTED_FEATURES) <= STATUS_LIMIT
