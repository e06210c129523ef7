"""multiserve composes Python web applications from a TOML file and serves them on one origin."""

from multiserve.assembly import create_app
from multiserve.errors import ConfigError, LoadError, MultiserveError, Problem, ServeError

__version__ = "0.1.0"

__all__ = ["ConfigError", "LoadError", "MultiserveError", "Problem", "ServeError", "__version__", "create_app"]
