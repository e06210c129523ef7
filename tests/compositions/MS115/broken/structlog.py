def configure():
    """Stand in for the library of this name."""
