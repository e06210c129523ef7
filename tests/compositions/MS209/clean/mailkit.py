"""A library whose key is that of a client."""


class Client:
    """Counts messages, with the key of an account."""

    def __init__(self, api_key):
        self.api_key = api_key

    def count_messages(self, account):
        if self.api_key != f"key of {account}":
            raise PermissionError
        return 3
