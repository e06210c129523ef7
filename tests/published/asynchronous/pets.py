"""Connexion: an application from the document that describes it, with Swagger UI."""

from pathlib import Path

from connexion import AsyncApp

app = AsyncApp(__name__, specification_dir=Path(__file__).parent)
app.add_api("pets.yaml")


def search():
    return ["Rex"]
