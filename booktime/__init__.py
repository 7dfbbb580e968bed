"""The site as a whole: settings, addresses, servers, what runs beside them.

What a shopper, an agent or the office sees belongs to `shop`, `support` or `staff`; nothing there imports this.
"""
