"""The site by daphne as it comes, which cuts what is under way when it is asked to stop: a negative control."""

from daphne.cli import CommandLineInterface
from daphne.server import Server

from booktime.asgi import application

__all__ = ["application"]

CommandLineInterface.server_class = Server
