"""What is said between shoppers and customer service, what agents keep beside it, and shoppers' phones."""

from support.models.chat import Chat, ChatMessage, TooManyMessages
from support.models.desk import CannedReply, Note
from support.models.device import DeviceToken
from support.models.shipment import ShipmentNews

__all__ = ["CannedReply", "Chat", "ChatMessage", "DeviceToken", "Note", "ShipmentNews", "TooManyMessages"]
