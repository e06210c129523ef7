"""A module with a factory under a usual name."""

from good import answer

made = []


def make_app():
    made.append(answer)
    return answer
