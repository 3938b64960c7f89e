"""The one backend that every proxy of a run forwards to."""

from __future__ import annotations

from loadtests.compare.process import Pinned
from loadtests.compare.work import OTHER_CORE, PAGE, Setting

NGINX = """worker_processes 1; daemon off; pid {run}/backend.pid; error_log {run}/backend.err crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; default_type text/plain;
  client_body_temp_path {run}/backend-body; proxy_temp_path {run}/backend-proxy;
  fastcgi_temp_path {run}/backend-f; uwsgi_temp_path {run}/backend-u; scgi_temp_path {run}/backend-s;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "{body}\\n"; }} }}
}}
"""


def start_backend(setting: Setting) -> Pinned:
    """Runs on the generator's core. HTTP/2 clients get the path back with the page: they have many under way."""
    run, port, variant = setting.run, setting.backend_port, setting.variant
    if variant.backend == "http1":
        body = PAGE + (" $request_uri" if variant.client == "http2" else "")
        config = run / "backend.conf"
        config.write_text(NGINX.format(run=run, port=port, body=body))
        command: list[object] = ["nginx", "-p", run, "-c", config]
    elif variant.backend == "h2c":
        command = [setting.programs / "h2sink", port]
    else:
        command = [setting.programs / "traffic", "tcp-sink" if variant.backend == "tcp" else "udp-echo", port]
    backend = Pinned([str(word) for word in command], core=OTHER_CORE, log=run / "backend.log")
    if variant.backend != "udp":
        backend.wait_for_port(port)
    return backend
