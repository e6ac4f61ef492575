"""Every HTTP door, on one page. Served at the App's root, and inside Saleor below our plugin."""

from django.urls import path

from saleor_nudges.asgi import files
from saleor_nudges.asgi import views as hot
from saleor_nudges.graphql.view import graphql
from saleor_nudges.recovery.way_back import views as links
from saleor_nudges.webhooks.reviews import ReviewsWebhookView

app_name = "saleor_nudges"

urlpatterns = [
    path("v1/session", hot.session),
    path("v1/events", hot.events),
    path("v1/nudges", hot.nudges),
    path("v1/device", hot.device),
    path("v1/words", hot.words),
    path("v1/widget.js", files.script),
    path("v1/widget/<str:name>", files.part),
    path("graphql/", graphql),
    path("webhooks/reviews/", ReviewsWebhookView.as_view()),
    path("r/<str:token>", links.ReturnView.as_view()),
    path("u/<str:token>", links.UnsubscribeView.as_view()),
]
