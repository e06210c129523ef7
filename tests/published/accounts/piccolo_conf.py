"""Where Piccolo finds its database."""

from pathlib import Path

from piccolo.engine.sqlite import SQLiteEngine

DB = SQLiteEngine(path=str(Path(__file__).with_name("piccolo.sqlite")))
