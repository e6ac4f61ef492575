"""The App's own doors, then ours."""

from django.urls import include, path

from saleor_nudges import manifest, register
from saleor_nudges.service import dashboard, health
from saleor_nudges.webhooks.saleor import SaleorWebhookView

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", health.metrics),
    path("manifest", manifest.view),
    path("register", register.view),
    path("dashboard/", dashboard.page),
    path("webhooks/saleor/", SaleorWebhookView.as_view()),
    path("", include("saleor_nudges.urls")),
]

handler404 = "saleor_nudges.service.middleware.missing"
handler500 = "saleor_nudges.service.middleware.failed"
