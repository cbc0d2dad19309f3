"""Protocol engines: each turns one protocol into pages of documents, and knows no source.

A harvester is an async generator function ``(fetch, walk, options) -> pages``; see
:class:`chm_hub.document.Walk` for what it is asked and what it reports.
"""
