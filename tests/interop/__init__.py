"""The gRPC project's own interop client and server, with a GRPCRoute of a running appliance between them."""
