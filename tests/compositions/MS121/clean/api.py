from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

app = Starlette(middleware=[Middleware(SessionMiddleware, secret_key="1e6b0d94c2a7f358", session_cookie="api_session")])
