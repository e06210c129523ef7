"""A script of Panel."""

import panel as pn

pn.extension()
number = pn.widgets.IntSlider(name="Boxes", value=3)
pn.Column("# Boxes", number).servable()
