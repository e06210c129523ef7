"""A notebook of marimo."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    mo.md("Hello")


if __name__ == "__main__":
    app.run()
