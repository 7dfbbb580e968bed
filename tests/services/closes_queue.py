"""The site by a process that ends as if the socket were its own, and closes the queue for all: a negative control."""

import socket

from twisted.internet import tcp

from booktime.asgi import application

__all__ = ["application"]

stop_listening = tcp.Port.stopListening


def close_queue(port):
    port.socket.shutdown(socket.SHUT_RDWR)
    return stop_listening(port)


tcp.Port.stopListening = close_queue
