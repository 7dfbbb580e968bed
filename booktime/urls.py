from django.urls import include, path

from booktime.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("shop.urls")),
    path("api/", include("staff.api.urls")),
    path("", include("support.urls")),
    path("", include("staff.urls")),
]

handler400 = "shop.views.errors.bad_request"
handler500 = "shop.views.errors.server_error"
