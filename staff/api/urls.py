from django.urls import include, path, re_path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter

from staff.api.views import NowhereView, OrderLineViewSet, OrderViewSet, ParcelViewSet, RootView
from support.urls import mobile_api

router = DefaultRouter(use_regex_path=False)
router.APIRootView = RootView
router.include_format_suffixes = False
router.register("orders", OrderViewSet, basename="order")
router.register("orderlines", OrderLineViewSet, basename="orderline")

rest = [
    *router.urls,
    path("orders/<int:pk>/parcels/", ParcelViewSet.as_view({"get": "list", "post": "create"}), name="order-parcels"),
]
described = [path("api/", include(rest)), path("mobile-api/", include(mobile_api))]

urlpatterns = [
    *rest,
    path("schema/", SpectacularAPIView.as_view(patterns=described), name="api_schema"),
    path("docs/", TemplateView.as_view(template_name="staff/api_docs.html"), name="api_docs"),
    re_path("", NowhereView.as_view()),
]
