"""The sockets, for `booktime.asgi`."""

from django.urls import re_path

from support.live.chat_socket import ChatConsumer

websocket_urlpatterns = [
    re_path(r"^ws/customer-service/(?P<order_id>[0-9]+)/$", ChatConsumer.as_asgi()),
]
