"""The URLs that the documentation of each package writes."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from graphene_django.views import GraphQLView
from ninja import NinjaAPI
from rest_framework import routers, serializers, viewsets

ninja = NinjaAPI()


@ninja.get("/add")
def add(request, a: int, b: int):
    return {"result": a + b}


class UserSerializer(serializers.HyperlinkedModelSerializer):
    class Meta:
        model = User
        fields = ("url", "username")


class UserViewSet(viewsets.ModelViewSet):
    queryset = User.objects.order_by("username")
    serializer_class = UserSerializer


router = routers.DefaultRouter()
router.register("users", UserViewSet)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("ninja/", ninja.urls),
    path("rest/", include(router.urls)),
    path("rest/auth/", include("rest_framework.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("schema/swagger/", SpectacularSwaggerView.as_view(url_name="schema")),
    path("schema/redoc/", SpectacularRedocView.as_view(url_name="schema")),
    path("graphql/", csrf_exempt(GraphQLView.as_view(graphiql=True))),
]
