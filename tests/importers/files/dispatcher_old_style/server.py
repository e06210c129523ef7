from waitress import serve
from werkzeug.wsgi import DispatcherMiddleware

from backoffice import application as office
from storefront import app as shop

not_found = lambda environ, start_response: []
app = DispatcherMiddleware(not_found, {"/shop/": shop, "/office": office, "/a//b": shop})

serve(app, host="0.0.0.0", port=8080, threads=8)
