"""A listener of its own for health and metrics, in the process above the workers."""
