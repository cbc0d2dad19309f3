"""Pages for people: what the hub holds, how to harvest it, how it is."""

from dashboard.pages import blueprint, headers
from dashboard.watch import blueprint as watch_blueprint

__all__ = ["blueprint", "headers", "watch_blueprint"]
