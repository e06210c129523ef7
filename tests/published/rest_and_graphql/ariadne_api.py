"""Ariadne's own ASGI application, with its explorer."""

from ariadne import QueryType, make_executable_schema
from ariadne.asgi import GraphQL

query = QueryType()


@query.field("hello")
def hello(*_: object) -> str:
    return "Hello"


app = GraphQL(make_executable_schema("type Query { hello: String! }", query))
