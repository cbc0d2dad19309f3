"""Pages for people: what the hub holds, and how to harvest it."""

from dashboard.pages import blueprint, headers

__all__ = ["blueprint", "headers"]
