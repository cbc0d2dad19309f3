"""Machine outputs beside OAI-PMH (Flask)."""

from api.manifests import blueprint

__all__ = ["blueprint"]
