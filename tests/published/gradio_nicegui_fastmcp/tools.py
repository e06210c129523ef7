"""The server of FastMCP's quick start."""

from fastmcp import FastMCP

mcp = FastMCP("Tools")


@mcp.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b
