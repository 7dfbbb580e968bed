from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from shop.web.throttle import Stretch


class Minute(Stretch):
    """How often somebody did something in the current minute."""

    def __init__(self, what: str, who: object) -> None:
        super().__init__(f"api:{what}:{who}", seconds=60)


class RequestThrottle(BaseThrottle):
    """Each user's requests a minute."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.minute = Minute("requests", request.user.pk)
        return self.minute.count() <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        return self.minute.seconds_left()
