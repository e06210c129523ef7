"""A module that fails while it is imported."""


def connect():
    raise ConnectionError("the database is away")


connect()
