"""The kernel of CHM Hub: the record model, settings, errors, the polite client, the pipeline."""

__version__ = "0.1.0"
