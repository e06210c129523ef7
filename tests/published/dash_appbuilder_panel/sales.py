"""The minimal application of Dash's documentation, without the data."""

from dash import Dash, Input, Output, callback, dcc, html

app = Dash()
app.layout = [
    html.H1("Sales"),
    dcc.Dropdown(["Spring", "Summer"], "Spring", id="season"),
    dcc.Graph(id="graph"),
]


@callback(Output("graph", "figure"), Input("season", "value"))
def draw(season):
    return {"data": [{"x": [1, 2], "y": [3, 4]}], "layout": {"title": season}}
