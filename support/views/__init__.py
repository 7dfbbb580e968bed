"""Pages and endpoints of chats, devices and the app.

Sockets and the event stream's inside belong to `live`.
"""
