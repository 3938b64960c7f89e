"""nginx: http proxy with an upstream keep-alive pool; stream for TCP (a 256 KiB buffer, its best) and UDP.

It speaks HTTP/2 to backends only as a gRPC proxy, one stream on a connection at a time.
"""

from __future__ import annotations

from pathlib import Path

from loadtests.compare.peers.peer import first_line, program
from loadtests.compare.process import Pinned
from loadtests.compare.variants import Variant
from loadtests.compare.work import PROXY_CORE, Setting

HEAD = """worker_processes 1; daemon off; pid {run}/nginx.pid; error_log {run}/nginx.err crit;
{load}
events {{ worker_connections 4096; }}
"""

HTTP = """http {{
  log_format json escape=json '{{"time":"$time_iso8601","method":"$request_method","path":"$request_uri",'
    '"status":$status,"request_bytes":$request_length,"response_bytes":$bytes_sent,"duration_s":$request_time,'
    '"upstream_s":"$upstream_response_time","client":"$remote_addr","host":"$host","endpoint":"$upstream_addr",'
    '"protocol":"$server_protocol"}}';
  access_log {access_log}; keepalive_requests 100000000; keepalive_timeout 600s; http2_max_concurrent_streams 1000;
  client_body_temp_path {run}/nginx-body; proxy_temp_path {run}/nginx-proxy;
  fastcgi_temp_path {run}/nginx-f; uwsgi_temp_path {run}/nginx-u; scgi_temp_path {run}/nginx-s;
  upstream backend {{
    server 127.0.0.1:{backend}; keepalive {idle}; keepalive_requests 100000000; keepalive_timeout 600s;
  }}
  server {{
    listen 127.0.0.1:{port} {listen} backlog=1024; server_name {host};
    {certificate}
    location {prefix} {{
      {forward}
    }}
  }}
}}
"""

FIELDS = {
    "Host": "$host",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$host",
    "X-Added": "added",
}

TCP = """stream {{
  server {{
    listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{backend}; proxy_buffer_size 256k; proxy_half_close on;
  }}
}}
"""
UDP = "stream {{ server {{ listen 127.0.0.1:{port} udp; proxy_pass 127.0.0.1:{backend}; proxy_timeout 60s; }} }}\n"

MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


def _http(setting: Setting, port: int) -> dict[str, object]:
    variant, certificate = setting.variant, setting.certificate
    kind, scheme = ("grpc", "grpc") if variant.backend == "h2c" else ("proxy", "http")
    forward = [f"{kind}_pass {scheme}://backend;"]
    if kind == "proxy":
        forward += ['proxy_http_version 1.1; proxy_set_header Connection "";']
    forward += [f"{kind}_set_header {name} {value};" for name, value in FIELDS.items()]
    return {
        "run": setting.run,
        "port": port,
        "backend": setting.backend_port,
        "host": setting.host,
        "prefix": setting.prefix,
        "listen": " ".join([*(["ssl"] if certificate else []), *(["http2"] if variant.client == "http2" else [])]),
        "idle": setting.connections * (setting.streams if variant.client == "http2" else 1),
        "certificate": f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};"
        if certificate
        else "",
        "forward": "\n      ".join(forward),
        "access_log": f"{setting.run}/nginx-access.log json buffer=64k flush=1s" if variant.access_log else "off",
    }


class Nginx:
    """nginx, one worker."""

    name = "nginx"

    def carries(self, variant: Variant) -> bool:
        """Everything."""
        return True

    def missing(self) -> str:
        """Why it cannot take part, or ""."""
        return program("nginx", "Debian: nginx, libnginx-mod-stream")

    def version(self) -> str:
        """As `nginx -v` tells it."""
        return first_line("nginx", "-v").removeprefix("nginx version: ")

    def access_log(self, setting: Setting) -> Path:
        """See Peer."""
        return setting.run / "nginx-access.log"

    def start(self, setting: Setting, port: int) -> Pinned:
        """One worker on the proxies' core."""
        run, variant = setting.run, setting.variant
        load = f"load_module {MODULE};" if not variant.http and MODULE.exists() else ""
        head = HEAD.format(run=run, load=load)
        if variant.http:
            body = HTTP.format(**_http(setting, port))
        else:
            body = {"tcp": TCP, "udp": UDP}[variant.client].format(port=port, backend=setting.backend_port)
        config = run / "nginx.conf"
        config.write_text(head + body)
        return Pinned(["nginx", "-p", run, "-c", config], core=PROXY_CORE, log=run / "nginx.log")
