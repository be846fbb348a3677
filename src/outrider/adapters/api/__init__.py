"""The public HTTP API: `build_app` in app.py, whose table of operations is the map of this package."""

from outrider.adapters.api.app import build_app

__all__ = ["build_app"]
