"""HAProxy: one thread; mode http with reused connections, mode tcp with splice in both directions. No UDP."""

from __future__ import annotations

from pathlib import Path

from loadtests.compare.peers.peer import first_line, program
from loadtests.compare.process import Pinned
from loadtests.compare.variants import Variant
from loadtests.compare.work import PROXY_CORE, Setting

COMMON = """global
  nbthread 1
  maxconn 4000
defaults
  timeout client 600s
  timeout server 600s
  timeout connect 5s
"""

HTTP = """frontend f
  mode http
  bind 127.0.0.1:{port} {bind}
{log}
  option forwardfor
  http-request set-header X-Forwarded-Proto {scheme}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Added added
  acl host hdr(host),host_only -i {host}
  acl path path_beg {prefix}
  use_backend b if host path
backend b
  mode http
  http-reuse always
  server s 127.0.0.1:{backend} {server}
"""

LOG = """  log stdout format raw daemon
  log-format '{"time":"%tr","method":"%HM","path":"%HU","status":%ST,"response_bytes":%B,"duration_ms":%Ta,\
"upstream_ms":%Tr,"client":"%ci","endpoint":"%si:%sp","protocol":"%HV","termination":"%ts"}'"""

TCP = """listen tcp
  mode tcp
  bind 127.0.0.1:{port}
  option splice-request
  option splice-response
  server s 127.0.0.1:{backend}
"""


def _http(setting: Setting, port: int) -> str:
    variant, certificate = setting.variant, setting.certificate
    bind = "proto h2" if variant.client == "http2" else ""
    if certificate:
        bind = f"ssl crt {certificate.both} alpn {'h2' if variant.client == 'http2' else 'http/1.1'}"
    return HTTP.format(
        port=port,
        bind=bind,
        scheme="https" if certificate else "http",
        host=setting.host,
        prefix=setting.prefix,
        backend=setting.backend_port,
        server="proto h2" if variant.backend == "h2c" else "",
        log=LOG if variant.access_log else "",
    )


class HAProxy:
    """HAProxy, one thread."""

    name = "haproxy"

    def carries(self, variant: Variant) -> bool:
        """All but UDP."""
        return variant.client != "udp"

    def missing(self) -> str:
        """Why it cannot take part, or ""."""
        return program("haproxy", "Debian: haproxy")

    def version(self) -> str:
        """As `haproxy -v` tells it."""
        return " ".join(first_line("haproxy", "-v").split()[:3])

    def access_log(self, setting: Setting) -> Path:
        """See Peer."""
        return setting.run / "haproxy.log"

    def start(self, setting: Setting, port: int) -> Pinned:
        """In the foreground, its log on standard output, which is a file."""
        body = _http(setting, port) if setting.variant.http else TCP.format(port=port, backend=setting.backend_port)
        config = setting.run / "haproxy.cfg"
        config.write_text(COMMON + body)
        return Pinned(["haproxy", "-db", "-f", config], core=PROXY_CORE, log=setting.run / "haproxy.log")
