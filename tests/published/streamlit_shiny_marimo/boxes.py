"""A script of Shiny Express."""

from shiny.express import input, render, ui  # noqa: A004 (that is its name)

ui.input_slider("n", "Boxes", 0, 100, 20)


@render.text
def weight():
    return f"They weigh {3 * input.n()} kg"
