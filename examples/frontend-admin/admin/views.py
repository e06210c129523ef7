"""The pages for the staff."""

import hmac

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

PRICE_LIMIT = 1_000_000

staff = Blueprint("staff", __name__)


@staff.before_request
def require_login() -> Response | None:
    """Send everyone who isn't signed in to the login form."""
    if "signed_in" in session or request.endpoint == "staff.login":
        return None
    return redirect(url_for("staff.login"), 303)


@staff.route("/login", methods=["GET", "POST"])
def login() -> str | Response:
    """Sign in whoever knows the password."""
    if request.method == "POST":
        password: str = current_app.config["PASSWORD"]
        if hmac.compare_digest(request.form["password"].encode(), password.encode()):
            session["signed_in"] = True
            current_app.logger.info("signed in from %s", request.remote_addr)
            return redirect(url_for("staff.products"), 303)
        current_app.logger.warning("wrong password from %s", request.remote_addr)
        flash("Wrong password.")
    return render_template("login.html")


@staff.post("/logout")
def logout() -> Response:
    """Sign out."""
    session.clear()
    return redirect(url_for("staff.login"), 303)


@staff.get("/")
def products() -> str:
    """Show all products and the form for a new one."""
    return render_template("products.html", products=current_app.config["PRODUCTS"].all())


@staff.post("/")
def add_product() -> Response:
    """Add the product in the form."""
    name = request.form["name"].strip()
    price = request.form.get("price", default=-1.0, type=float)
    if name and 0 <= price < PRICE_LIMIT:
        current_app.config["PRODUCTS"].add(name, round(price * 100))
        current_app.logger.info("added %r for %.2f", name, price)
    else:
        flash("A product needs a name and a price.")
    return redirect(url_for("staff.products"), 303)
