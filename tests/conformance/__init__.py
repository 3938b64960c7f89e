"""The judge: the official conformance suite of the Gateway API, unmodified, against a running appliance."""
