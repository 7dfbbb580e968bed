from django.urls import include, path, re_path

from support.views import app, chats, devices, events, messages, mobile

mobile_api = [
    path("auth/", mobile.mobile_auth, name="mobile_auth"),
    path("my-orders/", mobile.mobile_orders, name="mobile_orders"),
    path("my-orders/<int:pk>/messages/", messages.message_list, name="message_list"),
    path("my-orders/<int:pk>/tracker/", mobile.order_tracker, name="order_tracker"),
]

urlpatterns = [
    path("customer-service/", chats.customer_service, name="customer_service"),
    path("customer-service/notify/", events.chat_events, name="chat_events"),
    path("customer-service/<int:pk>/", chats.chat_detail, name="chat_detail"),
    path("customer-service/<int:pk>/claim/", chats.chat_claim, name="chat_claim"),
    path("customer-service/<int:pk>/release/", chats.chat_release, name="chat_release"),
    path("customer-service/<int:pk>/notes/", chats.note_create, name="note_create"),
    # The mobile app and what it asks for
    path("app/", app.app_page, name="app_page"),
    path("app/manifest.webmanifest", app.app_manifest, name="app_manifest"),
    path("app/sw.js", app.app_worker, name="app_worker"),
    path("account/devices/", devices.device_list, name="device_list"),
    path("account/devices/<int:pk>/revoke/", devices.device_revoke, name="device_revoke"),
    path("mobile-api/", include([*mobile_api, re_path("", mobile.nowhere)])),
]
