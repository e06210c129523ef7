from bottle import Bottle
from dotenv import load_dotenv

load_dotenv()
app = Bottle()
