"""Which of the interop client's cases a proxy can carry, and why not the others. Pure data and its reading."""

from __future__ import annotations

import re
from collections.abc import Mapping

_METRICS = '--service_config_json={"loadBalancingConfig": [{"test_backend_metrics_load_balancer": {}}]}'
# How long a call took is no question here: a busy machine is no fault of the proxy.
_PATIENCE = ("--soak_overall_timeout_seconds=90", "--soak_per_iteration_max_acceptable_latency_ms=30000")

CARRIED: Mapping[str, tuple[str, ...]] = {
    "empty_unary": (),
    "large_unary": (),
    "client_streaming": (),
    "server_streaming": (),
    "ping_pong": (),
    "empty_stream": (),
    "timeout_on_sleeping_server": (),
    "cancel_after_begin": (),
    "cancel_after_first_response": (),
    "status_code_and_message": (),
    "special_status_message": (),
    "custom_metadata": (),
    "unimplemented_method": (),
    "unimplemented_service": (),
    "rpc_soak": ("--soak_iterations=50", "--soak_num_threads=5", *_PATIENCE),
    "channel_soak": ("--soak_iterations=20", "--soak_num_threads=4", *_PATIENCE),
    "orca_per_rpc": (_METRICS,),
    "orca_oob": (_METRICS,),
}
"""Case -> further words of the client's command line."""

_GOOGLE = "asks Google's servers for credentials; what it then sends is metadata, as in custom_metadata"
EXCLUDED: Mapping[str, str] = {
    "pick_first_unary": "asks for a server's name, which this server does not tell, also without a proxy",
    "compute_engine_creds": _GOOGLE,
    "service_account_creds": _GOOGLE,
    "jwt_token_creds": _GOOGLE,
    "per_rpc_creds": _GOOGLE,
    "oauth2_auth_token": _GOOGLE,
    "google_default_credentials": _GOOGLE,
    "compute_engine_channel_credentials": _GOOGLE,
}
"""Case -> why it is not run."""


def excluded() -> dict[str, list[str]]:
    """Reason -> the cases that are not run for it."""
    found: dict[str, list[str]] = {}
    for case, why in EXCLUDED.items():
        found.setdefault(why, []).append(case)
    return found


def unknown(help_text: str) -> list[str]:
    """Cases that the client lists in its help and that this page does not speak of."""
    listed = re.findall(r"^\s+([a-z0-9_]+) ?: ", help_text, re.MULTILINE)
    return sorted(set(listed) - CARRIED.keys() - EXCLUDED.keys())


def reason(said: str) -> str:
    """Why the client gave up, in one line: what it calls fatal, else its last words."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line.partition("FATAL: ")[2] for line in lines if "FATAL: " in line]
    return (fatal or lines or ["it said nothing"])[-1]
