"""Customer service: chats, who is in them, and the mobile app.

Orders and accounts belong to `shop`, the back offices to `staff`.
"""
