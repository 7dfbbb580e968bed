import math
import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView


class Minute:
    """How often something happened in the current minute, counted in the cache that all processes share."""

    LENGTH = 60

    def __init__(self, what: str, who: object) -> None:
        self.now = time.time()
        self.key = f"api:{what}:{who}:{int(self.now // self.LENGTH)}"

    def count(self) -> int:
        """Count one more; how many it has been."""
        if cache.add(self.key, 1, self.LENGTH):
            return 1
        try:
            return cache.incr(self.key)
        except ValueError:  # it ran out between the two
            return 1

    def seconds_left(self) -> int:
        return math.ceil(self.LENGTH - self.now % self.LENGTH)


class RequestThrottle(BaseThrottle):
    """Each user's requests a minute."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.minute = Minute("requests", request.user.pk)
        return self.minute.count() <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        return self.minute.seconds_left()
