"""What happens while PostgreSQL, Redis or the bucket is away or hangs.

The circuit breaker itself is `shop.circuit_breaker`: who is in a chat (`support.live.presence`) and what is counted for
limits (`shop.web.throttle`) go on without Redis as well. The page that people see then is `shop.web.error_pages`.
"""
