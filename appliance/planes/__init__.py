"""The threads of an appliance: each has an event loop, an owner and an end that somebody waits for."""
