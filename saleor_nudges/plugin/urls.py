"""Saleor's URLs with our fields inside its own /graphql/; Saleor's alone if anything is amiss."""

from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt
from saleor.urls import urlpatterns as saleor_urlpatterns

from saleor_nudges import telemetry

urlpatterns = list(saleor_urlpatterns)

try:
    from saleor_nudges.plugin.schema import merged_view

    urlpatterns = [
        re_path(r"^graphql/$", csrf_exempt(merged_view()), name="api"),
        *saleor_urlpatterns,
    ]
except Exception:
    # The shop comes first: Saleor answers as without us, and the log says why.
    telemetry.trouble(telemetry.Log.SCHEMA_NOT_MERGED)
