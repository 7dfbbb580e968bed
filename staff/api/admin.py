"""The owners' pages for webhooks: where they go, what was answered, once more."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect

from staff.api.webhooks import resend
from staff.models import Webhook, WebhookDelivery


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = ["url", "active", "date_added"]
    readonly_fields = ["date_added"]
    fields = ["url", "secret", "active", "date_added"]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("delivered", "Delivered"), ("waiting", "Waiting"), ("given-up", "Given up")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        undelivered = queryset.filter(date_delivered__isnull=True)
        states = {
            "delivered": queryset.filter(date_delivered__isnull=False),
            "waiting": undelivered.pending(),
            "given-up": undelivered.filter(next_attempt__isnull=True),
        }
        return states.get(self.value() or "", queryset)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(admin.ModelAdmin):
    """A record of what happened: to be read, and posted again."""

    list_display = [
        "event_id", "kind", "order", "webhook", "state", "attempts", "status_code", "next_attempt", "date_added"
    ]  # fmt: skip
    list_filter = ["kind", StateFilter, "webhook"]
    list_select_related = ["order", "webhook"]
    search_fields = ["event_id", "=order__pk"]
    search_help_text = "An event id or an order number."
    actions = ["resend"]
    change_form_template = "staff/webhook_delivery.html"

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """One delivery; its button posts it again."""
        if request.method == "POST" and "_resend" in request.POST and self.has_view_permission(request):
            delivery = get_object_or_404(WebhookDelivery, pk=object_id)
            resend(delivery)
            messages.success(request, f"{delivery} was posted again.")
            return redirect(request.path)
        return super().changeform_view(request, object_id, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Resend the selected deliveries", permissions=["view"])
    def resend(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        for delivery in queryset:
            resend(delivery)
        messages.success(request, f"{len(queryset)} posted again: the list shows the answers as they come.")
