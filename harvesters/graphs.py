"""RDF read by rdflib, with what is odd in it told to the caller and not to the screen.

rdflib logs a traceback for each literal that is not of the type it claims (``"1904"^^xsd:date``),
and would rewrite those that are (``"2020"^^xsd:gYear``). Here a literal keeps its own words, and
those of the wrong type are returned.
"""

from __future__ import annotations

import logging
import warnings

import rdflib
from rdflib import Dataset, Graph, Literal

from chm_hub.errors import ProtocolError

ODD_LITERAL = "odd_literal"
MOST_ODD = 20
"""Odd literals that are named; more of one kind say nothing new."""

# What rdflib has to say below an error is about single literals and addresses, with a traceback.
logging.getLogger("rdflib").setLevel(logging.ERROR)
rdflib.NORMALIZE_LITERALS = False


def parse(data: bytes | str, form: str, base: str) -> tuple[Graph, list[str]]:
    """The graph of a document, and what is odd about its literals (``odd_literal: …``).

    ``form`` is rdflib's name of the syntax. The named graphs of JSON-LD are part of the whole.
    Raises :class:`ProtocolError` (``not_rdf``). The caller has taken out what could be fetched.
    """
    graph = Graph()
    try:
        with warnings.catch_warnings():
            # rdflib's parser of JSON-LD uses what rdflib wants to be rid of.
            warnings.simplefilter("ignore")
            if form == "json-ld":
                named = Dataset()
                named.parse(data=data, format=form, publicID=base or None)
                for subject, predicate, value, _ in named.quads():
                    graph.add((subject, predicate, value))
            else:
                graph.parse(data=data, format=form, publicID=base or None)
    except Exception as error:  # each of rdflib's parsers has errors of its own
        raise ProtocolError(
            f"{base}: not readable as {form}: {str(error)[:200]}. Look at what the address "
            "answers.",
            reason="not_rdf",
        ) from error
    return graph, odd_literals(graph)


def odd_literals(graph: Graph) -> list[str]:
    """A warning for each literal that is not of the type it claims to be of, sorted."""
    odd = {
        f"{ODD_LITERAL}: {str(value)[:60]!r} as {str(value.datatype).rpartition('#')[2]}"
        for value in graph.objects()
        if isinstance(value, Literal) and value.ill_typed
    }
    return sorted(odd)[:MOST_ODD]
