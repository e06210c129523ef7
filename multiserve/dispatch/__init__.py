"""The dispatchers: thin callables over one router, one for each interface."""
