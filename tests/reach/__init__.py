"""How much of what real sources say reaches the record, format by format.

``python -m tests.reach`` harvests every recorded answer (``CHM_HUB_SHARED``) over loopback and
writes ``docs/what-is-read.md``; ``--values FORMAT`` lists each value with the field it is in.
"""
