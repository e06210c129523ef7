"""Django over ASGI."""

import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path, reverse

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="staff", ALLOWED_HOSTS=["*"])
django.setup()


async def item(request, number):
    url = reverse("item", args=[number + 1])
    return JsonResponse({"url_for": url, "external": request.build_absolute_uri(url), "path_info": request.path_info})


def upload(request):
    return JsonResponse({"size": len(request.body)})


urlpatterns = [path("items/<int:number>", item, name="item"), path("upload", upload)]

from django.core.asgi import get_asgi_application  # noqa: E402 (after the settings)

application = get_asgi_application()
