"""The comments of a blog, as isso/run.py makes the WSGI application."""

from pathlib import Path

from isso import config, make_app

app = make_app(config.load(config.default_file(), str(Path(__file__).with_name("isso.cfg"))))
