"""The products of the shop, in SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS product (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents >= 0)
)
"""


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy."""

    id: int
    name: str
    cents: int


def format_price(cents: int) -> str:
    """Write a price as people do."""
    return f"{cents // 100}.{cents % 100:02}"


class Products:
    """All products, safe to use from many threads and processes at once."""

    def __init__(self, path: Path) -> None:
        """Create the database if there is none yet."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as database:
            database.execute(SCHEMA)

    def add(self, name: str, cents: int) -> None:
        """Add a product."""
        with self._transaction() as database:
            database.execute("INSERT INTO product (name, cents) VALUES (?, ?)", (name, cents))

    def all(self) -> list[Product]:
        """Return all products, by name."""
        with self._transaction() as database:
            rows = database.execute("SELECT id, name, cents FROM product ORDER BY name, id")
            return [Product(*row) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Connect for one transaction, which waits for the writers of other threads and workers."""
        with closing(sqlite3.connect(self._path, timeout=20)) as connection, connection:
            yield connection
