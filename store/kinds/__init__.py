"""The kinds that are served, written as declarations: data, not behaviour. One file per API group, and the registry."""
