"""How the platform behind an address is told (:mod:`adapters.detect`), one idea a module.

``look`` asks, ``known`` goes by the address alone, ``answers`` reads answers that say what they
are, ``page`` reads the marks of a page, ``platforms``, ``repositories``, ``sites`` and
``wordpress`` ask what the marks suggest.
"""
