"""What happens while PostgreSQL, Redis or the bucket is away or hangs.

The circuit breaker itself is `shop.circuit_breaker`; the page that people see then, `shop.web.error_pages`.
"""
