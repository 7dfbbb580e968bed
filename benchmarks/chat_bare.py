"""The yardstick: nothing but Channels. A socket joins a group; what it sends is sent to the group."""

import benchmarks.django_ready  # isort: skip  # noqa: F401

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path


class Echo(AsyncWebsocketConsumer):
    groups = ["echo"]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send("echo", {"type": "echo", "text": text_data})

    async def echo(self, event: dict[str, str]) -> None:
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter({"websocket": URLRouter([re_path("", Echo.as_asgi())])})
