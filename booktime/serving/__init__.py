"""How a process answers requests: bridge, queue, limits, headers, shutdown.

What is answered belongs to the apps; what happens while a service is away, to `resilience`.
"""
