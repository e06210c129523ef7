"""Makes the database with its one table."""

from models import Base, engine

Base.metadata.create_all(engine)
