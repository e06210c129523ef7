from backoffice import create_app
from middleware import Word
from shop.wsgi import application as shop
from storefront import app
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

mounts = {"/shop": shop}
mounts["/shop/admin"] = Word(Word(create_app("inner"), "first"), word="second")
mounts["/tools"] = DispatcherMiddleware(create_app("tools"), {"/deep": create_app("deep")})

composed = DispatcherMiddleware(app, mounts)
application = ProxyFix(composed, x_for=1, x_proto=1, x_host=1)
