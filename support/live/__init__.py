"""What is open for hours: chat sockets and the agents' list.

What is said is stored by `models`; pages about chats are `views`.
"""
