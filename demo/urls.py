"""The shop's pages, and saleor-nudges below /nudges/, as a shop would mount it."""

from django.urls import include, path

from demo import views

urlpatterns = [
    path("", views.home),
    path("products/<slug:slug>", views.product),
    path("cart", views.cart),
    path("cart/add", views.add),
    path("cart/remove", views.remove),
    path("checkout", views.checkout),
    path("checkout/contact", views.contact),
    path("checkout/buy", views.buy),
    path("thank-you/<str:key>", views.thank_you),
    path("mailbox", views.mailbox),
    path("seller", views.seller),
    path("nudges/", include("saleor_nudges.urls")),
]
