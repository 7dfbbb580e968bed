from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from support.models import ChatMessage


@admin.register(ChatMessage)
class ChatMessageAdmin(admin.ModelAdmin[ChatMessage]):
    """What was said, for owners to read: nobody puts words into another's mouth."""

    list_display = ("id", "order_number", "sender", "message", "sent_at")
    list_select_related = ("sender",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("order",)
    search_help_text = "An order's number."
    ordering = ("-pk",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return (queryset.filter(order=int(term)) if term.isdecimal() and len(term) < 18 else queryset.none()), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="order", ordering="order_id")
    def order_number(self, message: ChatMessage) -> int:
        return message.order_id
