"""Gatehouse beside nginx, HAProxy and Envoy: the same work, in the same minutes, on the same machine.

`python -m loadtests.compare http1|https|http2|grpc|tcp|udp` starts every proxy that is installed, one backend and one
generator, for each variant of the work. The proxies run on one core, all else on another; rounds are interleaved, so
that a machine whose speed drifts drifts for all of them. What counts is the ratio inside one round; its median over the
rounds is reported with its spread. `--against REVISION` measures Gatehouse against an earlier commit of itself.
"""
