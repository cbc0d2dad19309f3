"""The JSON API. Nothing is served here yet: the OAI endpoint and the pages are the ways in."""
