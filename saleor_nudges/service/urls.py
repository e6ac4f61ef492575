"""The App's own doors, then ours."""

from django.urls import include, path

from saleor_nudges.service import health

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", health.metrics),
    path("", include("saleor_nudges.urls")),
]

handler404 = "saleor_nudges.service.middleware.missing"
handler500 = "saleor_nudges.service.middleware.failed"
