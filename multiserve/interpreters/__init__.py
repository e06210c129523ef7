"""Another CPython, such as that of a virtual environment, runs the code of multiserve without having it installed."""
