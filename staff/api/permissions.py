from django.contrib.auth.models import Permission
from django.db.models import Q
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class WorksForDispatch(BasePermission):
    """Both permissions, held by oneself or by one's group, for reading too."""

    message = "This account may not use the dispatch API."
    codenames = ("change_order", "change_orderline")

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not user.is_authenticated or not user.is_active:
            return False
        if user.is_superuser:
            return True
        # One query in place of Django's two, each request makes it.
        held = Permission.objects.filter(content_type__app_label="shop", codename__in=self.codenames)
        return held.filter(Q(user=user.pk) | Q(group__user=user.pk)).distinct().count() == len(self.codenames)
