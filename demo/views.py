"""The pages of the shop, the mailbox and the seller's page."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from demo import mailbox as mails_of
from demo import seller as sellers
from demo import shop
from demo.catalogue import BY_SLUG, CHANNEL, PRODUCTS, SHOP_NAME
from demo.models import DemoCheckout, DemoOrder
from saleor_nudges.crypto import checkout_hash
from saleor_nudges.events import Cart, Contact
from saleor_nudges.exceptions import NotFound

# As Saleor's storefront Paper names it. Scripts may read it, as there: the widget finds the
# shopper's own checkout by it, and sends only its hash. Lax: a form on a stranger's page comes
# without it, so it changes no cart here.
COOKIE = f"checkoutId-{CHANNEL}"


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """Return what every page needs: the shop, the cart, and how fast time runs."""
    checkout = _my_checkout(request)
    return {
        "shop_name": SHOP_NAME,
        "channel": CHANNEL,
        "delay": settings.DEMO_DELAY,
        "in_cart": _count(checkout) if checkout else 0,
    }


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """All products."""
    return render(request, "demo/home.html", {"page": "HOME", "products": PRODUCTS})


@require_GET
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One product."""
    if slug not in BY_SLUG:
        raise Http404
    found = BY_SLUG[slug]
    others = [other for other in PRODUCTS if other.category == found.category and other != found]
    facts = {"page": "PRODUCT", "product": found, "others": others}
    return render(request, "demo/product.html", facts)


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put a product into the cart."""
    found = BY_SLUG.get(request.POST.get("product", ""))
    if found is None:
        raise Http404
    checkout = shop.put_in(request.COOKIES.get(COOKIE, ""), found)
    return _remembering(checkout, HttpResponseRedirect("/cart"))


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Take a product out of the cart."""
    shop.take_out(request.COOKIES.get(COOKIE, ""), request.POST.get("variant", ""))
    return HttpResponseRedirect("/cart")


@require_GET
def cart(request: HttpRequest) -> HttpResponse:
    """What is in the cart."""
    return render(request, "demo/cart.html", {"page": "CART", **_basket(_my_checkout(request))})


@require_GET
def checkout(request: HttpRequest) -> HttpResponse:
    """Who you are, then the button. Reached from the cart, and from the link in a message."""
    found = shop.checkout_of(request.GET.get("checkout", ""))
    if found is None or not found.lines:
        return HttpResponseRedirect("/cart")
    facts = {
        "page": "OTHER",
        "checkout": found,
        "is_known": bool(found.person().email) and "change" not in request.GET,
        "in_cart": _count(found),
        **_basket(found),
    }
    response = _remembering(found, render(request, "demo/checkout.html", facts))
    # The address of this page opens the checkout to whoever holds it.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def contact(request: HttpRequest) -> HttpResponse:
    """Step 1: who you are."""
    posted = request.POST
    email = posted.get("email", "").strip()[:254]
    try:
        validate_email(email)
    except ValidationError:
        return HttpResponse("This is no email address.", status=400)
    first_name, city = (posted.get(name, "").strip()[:255] for name in ("first_name", "city"))
    key = posted.get("checkout", "")
    try:
        shop.introduce(key, Contact(email=email, first_name=first_name, city=city))
    except NotFound:
        return HttpResponseRedirect("/cart")
    return HttpResponseRedirect(f"/checkout?checkout={quote(key)}")


@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    """Step 2: the order."""
    try:
        order = shop.buy(request.POST.get("checkout", ""))
    except NotFound:
        return HttpResponseRedirect("/cart")
    response = HttpResponseRedirect(f"/thank-you/{order.pk}")
    response.delete_cookie(COOKIE)
    return response


@require_GET
def thank_you(request: HttpRequest, key: str) -> HttpResponse:
    """What was bought."""
    order = DemoOrder.objects.filter(pk=key).first()
    if order is None:
        raise Http404
    # The cookie went with the checkout; whose order this is, the widget is told: by a hash.
    own = checkout_hash(order.checkout_id)
    facts = {"page": "OTHER", "order": order, "checkout_hash": own, "cart": order.cart()}
    return render(request, "demo/thank_you.html", facts)


@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    """Every mail that arrived."""
    to = request.GET.get("to", "").strip()
    found = mails_of.mails(settings.DEMO_MAIL, to)
    return _live(request, "mailbox", {"mails": found, "to": to})


@require_GET
def seller(request: HttpRequest) -> HttpResponse:
    """What is switched on, and what came of it."""
    return _live(request, "seller", sellers.overview(shop.the_shop()))


def _live(request: HttpRequest, name: str, facts: dict[str, Any]) -> HttpResponse:
    """Return a page, or of a page that renews itself the part that changes."""
    part = f"demo/{name}_live.html"
    if "live" in request.GET:
        return render(request, part, facts)
    return render(request, f"demo/{name}.html", {**facts, "part": part})


def _my_checkout(request: HttpRequest) -> DemoCheckout | None:
    return shop.checkout_of(request.COOKIES.get(COOKIE, ""))


def _basket(checkout: DemoCheckout | None) -> dict[str, Any]:
    cart = checkout.cart() if checkout else Cart()
    rows = [{"line": line, "price": line.unit_price * line.quantity} for line in cart.lines]
    return {"checkout": checkout, "rows": rows, "total": cart.total}


def _count(checkout: DemoCheckout) -> int:
    return sum(line.quantity for line in checkout.cart().lines)


def _remembering(checkout: DemoCheckout, response: HttpResponse) -> HttpResponse:
    response.set_cookie(COOKIE, checkout.pk, max_age=30 * 24 * 3600, samesite="Lax")
    return response
