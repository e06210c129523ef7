"""A module that raises what is no Exception."""


class Cancelled(BaseException):
    pass


raise Cancelled
