"""`python -m appliance` is `gatehouse`."""

from __future__ import annotations

from appliance.cli.app import main

if __name__ == "__main__":
    main()
