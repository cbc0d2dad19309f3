"""The kernel of CHM Hub: the record model, settings, errors, the polite client, the pipeline."""
