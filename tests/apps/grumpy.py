"""A module that raises whatever it is asked for."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise RuntimeError(f"no {name} today")
