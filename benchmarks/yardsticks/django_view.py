"""The same payload through Django's own ASGI stack: an async view behind two middlewares."""

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="not a secret: this is a yardstick",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    LOGGING_CONFIG=None,
)


async def collect(request: HttpRequest) -> HttpResponse:
    """Read the body and answer 202."""
    _ = request.body
    return HttpResponse(b"{}", status=202, content_type="application/json")


urlpatterns = [path("v1/events", collect)]
application = get_asgi_application()
