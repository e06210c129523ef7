import sys
from pathlib import Path

from bottle import Bottle

sys.path.insert(0, str(Path(__file__).parent / "parts"))
app = Bottle()
