"""A library whose key is a global of its module, as those of some services are."""

api_key = ""


def count_messages(account):
    """Return how many there are; the key has to be that of the account."""
    if api_key != f"key of {account}":
        raise PermissionError
    return 3
