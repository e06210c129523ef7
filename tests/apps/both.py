"""A module with two of the usual names: `application` comes first."""

from good import answer, lambda_app

app = lambda_app
application = answer
