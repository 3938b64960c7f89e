"""What a request costs the proxy in this process: no sockets, no kernel, no other program.

`python -m loadtests.profile http1|https|http2|http2-http1|grpc` runs the whole proxy on a loop whose connections are in
memory. Clients and backends are played by this program between the measured spells, so the figure is the proxy's own
CPU time and hardly moves with what else the machine does. `--functions N` says where it goes.
"""
