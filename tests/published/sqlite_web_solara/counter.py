"""The counter of Solara's quick start."""

import solara

clicks = solara.reactive(0)


@solara.component
def Page():  # noqa: N802 (Solara looks for that name)
    solara.Button(label=f"Clicked: {clicks.value}", on_click=lambda: clicks.set(clicks.value + 1))
