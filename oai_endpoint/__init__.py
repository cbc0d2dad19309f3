"""The OAI-PMH 2.0 provider: reads the store, knows nothing of sources.

``blueprint(store, settings)`` serves ``/oai`` by GET, HEAD and POST. Arguments are checked in
``arguments``, questions answered in ``verbs``, answers put together in ``envelope``, places
in lists carried by ``tokens``.
"""

from oai_endpoint.provider import blueprint

__all__ = ["blueprint"]
