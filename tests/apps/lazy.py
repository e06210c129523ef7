"""A module whose attributes are made when they are asked for."""

from good import answer


def __getattr__(name):
    if name == "app":
        return answer
    if name == "needs_settings":
        raise RuntimeError("settings are not configured")
    if name == "typo":
        return answer.no_such_attribute
    raise AttributeError(name)
