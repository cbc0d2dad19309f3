"""Crosswalks in (document → record) and formats out (record → XML); no network, no MongoDB."""
