"""The demonstration network."""
