from django.urls import include, path

from booktime.observing.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("shop.urls")),
    path("api/", include("staff.api.urls")),
    path("", include("support.urls")),
    path("", include("staff.urls")),
]

handler400 = "shop.web.error_pages.bad_request"
handler500 = "shop.web.error_pages.server_error"
