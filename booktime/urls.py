from django.urls import include, path

urlpatterns = [
    path("", include("shop.urls")),
]

handler400 = "shop.views.errors.bad_request"
handler500 = "shop.views.errors.server_error"
