"""Two pages of NiceGUI."""

from nicegui import app, ui


@ui.page("/")
def home():
    ui.label("Hello")
    ui.link("More", "/more")


@ui.page("/more")
def more():
    ui.label("More")


if __name__ in {"__main__", "__mp_main__"}:
    ui.run()

__all__ = ["app"]
