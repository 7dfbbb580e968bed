"""What is said between shoppers and customer service, and what agents keep beside it."""

from support.models.chat import Chat, ChatMessage, TooManyMessages
from support.models.desk import CannedReply, Note

__all__ = ["CannedReply", "Chat", "ChatMessage", "Note", "TooManyMessages"]
