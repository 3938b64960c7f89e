"""h2spec, the conformance tester of HTTP/2 (RFC 7540, 7541), against the listeners of a running appliance."""
