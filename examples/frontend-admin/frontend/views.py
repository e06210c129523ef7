"""The pages of the shop."""

from flask import (
    Blueprint,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

shop = Blueprint("shop", __name__)


@shop.get("/")
def index() -> str:
    """Show all products."""
    return render_template("index.html", products=current_app.config["PRODUCTS"].all())


@shop.get("/cart")
def cart() -> str:
    """Show what is in the cart, and what it costs."""
    counts = session.get("cart", {})
    lines = [
        (product, counts[str(product.id)])
        for product in current_app.config["PRODUCTS"].all()
        if str(product.id) in counts
    ]
    total = sum(product.cents * count for product, count in lines)
    return render_template("cart.html", lines=lines, total=total)


@shop.post("/cart")
def add_to_cart() -> Response:
    """Put one more of a product into the cart."""
    number = request.form.get("product", type=int)
    if number not in {product.id for product in current_app.config["PRODUCTS"].all()}:
        abort(404, "There is no such product.")
    counts = session.get("cart", {})
    session["cart"] = {**counts, str(number): counts.get(str(number), 0) + 1}
    current_app.logger.info("product %s was put into a cart", number)
    return redirect(url_for("shop.cart"), 303)
