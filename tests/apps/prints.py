"""An application that prints while it is imported and made."""

from good import answer

print("hello from the import")  # noqa: T201


def create_app():
    print("hello from the factory")  # noqa: T201
    return answer
