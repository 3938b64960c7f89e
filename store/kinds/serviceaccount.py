"""ServiceAccount: kept for whoever runs workloads beside the appliance, and issues tokens; nothing here does."""

from __future__ import annotations

from typing import Final

from store.kinds.columns import AGE
from store.kinds.fields import (
    boolean,
    items,
    keyed,
    opened,
    record,
    string,
)
from store.kinds.kind import Column, Kind, Version

_REFERENCE = opened(record("A reference.", {"name": string("Name of the object.")}))
SERVICE_ACCOUNT: Final = Kind(
    group="",
    name="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    custom=False,
    short_names=("sa",),
    versions=(
        Version(
            "v1",
            record(
                "An identity for Pods. Nothing here issues tokens for it.",
                {
                    "automountServiceAccountToken": boolean("Whether Pods get a token."),
                    "imagePullSecrets": items("Secrets for fetching images.", _REFERENCE),
                    "secrets": keyed("Secrets that its Pods may use.", _REFERENCE, "name", merge_key="name"),
                },
            ),
            (Column("Secrets", "string", cell=lambda value: len(value.get("secrets") or ())), AGE),
            storage=True,
            status=False,
        ),
    ),
)
