import dash


def make_app(prefix=""):
    app = dash.Dash(__name__, requests_pathname_prefix=f"{prefix}/", routes_pathname_prefix="/")
    app.layout = dash.html.Div("sales")
    return app.server
