"""sqlite-web over a database: its module has one application, which is told the file."""

from pathlib import Path

from sqlite_web import sqlite_web

FILE = Path(__file__).with_name("stock.sqlite")
sqlite_web.initialize_app([str(FILE)])

app = sqlite_web.app
