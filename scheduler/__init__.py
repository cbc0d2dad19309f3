"""When to harvest what."""
