"""The demo: an appliance with temporary data, an echo backend of its own and one route per protocol.

It uses the appliance as any user does: settings, and a folder of YAML.
"""
