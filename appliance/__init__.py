"""The appliance: command line, settings, manifests folder, controller, and the one module that puts all rooms together.

Settings and objects come in; a running gateway goes out. `compose` alone knows every room.
"""
