from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from shop.models import Company
from shop.web.session_basket import books_in_basket


def site(request: HttpRequest) -> dict[str, object]:
    """What every page's frame shows."""
    return {
        "GIT_REV": settings.GIT_REV,
        "GA_TRACKER_ID": settings.GA_TRACKER_ID,
        "company": SimpleLazyObject(Company.objects.current),
        "basket_count": SimpleLazyObject(lambda: books_in_basket(request)),
    }
