"""TensorBoard over a folder of logs: the WSGI application that its program would serve."""

from pathlib import Path

from tensorboard import assets, default, program


def tensorboard() -> object:
    """Return the application, whose pages have relative URLs alone."""
    board = program.TensorBoard(
        default.get_plugins(), assets.get_default_assets_zip_provider(), server_class=lambda app, _: app
    )
    board.configure(logdir=str(Path(__file__).parent), load_fast="false")
    return board._make_server()  # noqa: SLF001 (there is no other way to the application)
