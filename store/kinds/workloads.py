"""The kinds that are kept for whoever runs workloads beside the appliance; nothing here runs them."""

from __future__ import annotations

from typing import Final

from store.kinds.deployment import DEPLOYMENT
from store.kinds.pod import POD
from store.kinds.serviceaccount import SERVICE_ACCOUNT

WORKLOADS: Final = (POD, SERVICE_ACCOUNT, DEPLOYMENT)
"""Served only where somebody runs them."""
