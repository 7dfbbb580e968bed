from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from shop.models import Order, OrderLine, User
from shop.values.money import money
from staff.admin.actions import Outcome, log
from staff.admin.forms import CountryFilter, CustomerByEmail
from staff.admin.order_forms import OrderForm
from staff.admin.order_lines import DispatchLineInline, OrderLineInline, save_lines
from staff.admin.searching import find_orders
from staff.admin_sites import dispatch_admin, office_admin
from staff.models import WebhookDelivery
from staff.papers.dispatch_papers import MOST_ORDERS, ROLL
from support.models import ChatMessage

BILLING = (
    "billing_name",
    "billing_address1",
    "billing_address2",
    "billing_zip_code",
    "billing_city",
    "billing_country",
)
SHIPPING = tuple(name.replace("billing", "shipping") for name in BILLING)
# What tells of an order: nobody deletes it by itself, and it goes when its order does.
RECORDS = {model._meta.verbose_name for model in (ChatMessage, WebhookDelivery)}


@admin.action(description="Mark as paid", permissions=["change"])
def mark_paid(model_admin: Any, request: HttpRequest, queryset: QuerySet[Order]) -> None:
    outcome = Outcome.of_each(queryset, Order.mark_paid, "It was paid already.")
    outcome.report(model_admin, request, "marked as paid")


def mark_lines(name: str, status: OrderLine.Status) -> Any:
    """A bulk action that reports progress for all lines of the chosen orders that may still make it."""

    @admin.action(description=f"Mark lines as {status.label.lower()}", permissions=["change"])
    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        orders, outcome, unchanged = list(queryset), Outcome(), f"They were {status.label.lower()} already."
        touched = []
        for order in orders:
            lines = {line.pk: line for line in model_admin.lines_of(order).only("pk", "order").order_by("pk")}
            marked = order.mark_lines(dict.fromkeys(lines, status))
            outcome.changed += [lines[pk] for pk in marked.changed]
            for reason, keys in {**marked.refused, unchanged: marked.unchanged}.items():
                outcome.refused[reason] += [lines[pk] for pk in keys]
            touched += [order] if marked.changed else []
        outcome.refused = {reason: lines for reason, lines in outcome.refused.items() if lines}
        log(request, touched, f"marked lines as {status.label.lower()}")
        outcome.tell(model_admin, request, f"marked as {status.label.lower()}", OrderLine)

    action.__name__ = name
    return action


mark_lines_processing = mark_lines("mark_lines_processing", OrderLine.Status.PROCESSING)
mark_lines_sent = mark_lines("mark_lines_sent", OrderLine.Status.SENT)
mark_lines_cancelled = mark_lines("mark_lines_cancelled", OrderLine.Status.CANCELLED)


def print_for(name: str, description: str, **query: str) -> Any:
    """An action that opens a paper for the chosen orders."""

    @admin.action(description=description, permissions=["view"])
    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_ORDERS + 1])
        if len(keys) > MOST_ORDERS:
            model_admin.message_user(request, f"Choose at most {MOST_ORDERS} orders.", messages.ERROR)
            return None
        asked = urlencode({"orders": ",".join(map(str, keys)), **query}, safe=",")
        return HttpResponseRedirect(f"{reverse(f'dispatch_admin:{name}')}?{asked}")

    action.__name__ = f"print_{name}_{'_'.join(query.values())}".rstrip("_")
    return action


print_pick_list = print_for("pick_list", "Print a pick list")
print_labels = print_for("address_labels", "Print address labels on A4 (2 by 7)")
print_roll_labels = print_for("address_labels", "Print address labels, 4 by 6 inches", size=ROLL)


class InState(admin.SimpleListFilter):
    """An order's status as the list shows it: one that was cancelled is not new, paid or done."""

    title = "status"
    parameter_name = "state"
    CANCELLED = "cancelled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((str(status.value), status.label) for status in Order.Status), (self.CANCELLED, "Cancelled")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == self.CANCELLED:
            return queryset.cancelled()
        status = {str(status.value): status for status in Order.Status}.get(self.value() or "")
        return queryset.not_cancelled().filter(status=status) if status else queryset


class OrderAdminBase(admin.ModelAdmin[Order]):
    """What every office does with orders: find them fast, and move them on by the model's own verbs."""

    form = OrderForm
    change_form_template = "staff/admin_order.html"
    date_hierarchy = "date_added"
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # Django asks for names; get_search_results() knows the indexes.
    search_fields = ("pk",)
    # By its number a list is sorted and paged from an index.
    ordering = ("-pk",)

    def lines_of(self, order: Order) -> Any:
        """Those of an order's lines that this office is concerned with."""
        return order.lines.all()

    @admin.display(description="status", ordering="status")
    def state(self, order: Order) -> str:
        return order.state

    @admin.display(description="placed", ordering="date_added")
    def placed(self, order: Order) -> str:
        return date_format(localtime(order.date_added), "DATETIME_FORMAT")

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:
        if not change:
            # Paid once its lines are there, or nothing would have been paid.
            form.turns_paid, obj.status = obj.status == Order.PAID, Order.NEW
            super().save_model(request, obj, form, change)
            return
        texts = [name for name in form.changed_data if name != "status"]
        paid = "status" in form.changed_data and obj.status == Order.PAID
        if paid:
            obj.status = form.initial["status"]
        if texts:
            obj.save(update_fields=[*texts, "date_updated"])
        if paid:
            self.attempt(request, obj.mark_paid)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if getattr(form, "turns_paid", False):
            self.attempt(request, form.instance.mark_paid)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Each line goes through the model, so that the order completes itself."""
        if formset.model is not OrderLine:
            super().save_formset(request, form, formset, change)
            return
        save_lines(formset, request)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With the links to an order's other lines, where it has more than its form shows."""
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        context["lines"] = next((formset.page for formset in formsets if formset.model is OrderLine), None)
        return super().render_change_form(request, context, *args, **kwargs)

    def attempt(self, request: HttpRequest, verb: Any) -> None:
        """Somebody else may have been faster since the form was checked: say so instead of failing."""
        try:
            verb()
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)


class OrderAdmin(CustomerByEmail, OrderAdminBase):
    list_display = ("number", "email", "shipping_name", "state", "total", "placed")
    list_display_links = ("number",)
    list_filter = (InState, ("shipping_country", CountryFilter))
    list_select_related = ("user",)
    search_help_text = "An order's number, a name, or the beginning of an e-mail address."
    inlines = (OrderLineInline,)
    actions = (mark_paid, mark_lines_processing, mark_lines_sent, mark_lines_cancelled)
    readonly_fields = ("customer", "placed", "date_cancelled", "spoken_to")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user", "last_spoken_to")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return OrderList

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        about = ("customer", "status", "placed", "date_cancelled", "spoken_to") if obj else ("user", "status")
        addresses = ("Billing address", {"fields": BILLING}), ("Shipping address", {"fields": SHIPPING})
        return (None, {"fields": about}), *addresses

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        return find_orders(queryset, search_term, "billing_name", "shipping_name", email=True), False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, forbidden - RECORDS, protected

    @admin.display(description="order", ordering="pk")
    def number(self, order: Order) -> str:
        return str(order.pk)

    @admin.display(description="e-mail")
    def email(self, order: Order) -> str:
        return order.user.email

    @admin.display
    def customer(self, order: Order) -> str:
        return ", ".join(filter(None, (order.user.get_full_name(), order.user.email)))

    @admin.display(description="total")
    def total(self, order: Any) -> str:
        return money(order.grand_total)

    @admin.display(description="last spoken to")
    def spoken_to(self, order: Order) -> str:
        return str(order.last_spoken_to or "–")


class OrderList(ChangeList):
    """Totals are added up for the page alone, not for a search that an action runs over."""

    def get_results(self, request: HttpRequest) -> None:
        self.queryset = self.queryset.with_tally()
        try:
            super().get_results(request)
        except (OverflowError, ValueError) as error:
            # An address with a day beyond the calendar, or a null character, comes as far as the database.
            raise IncorrectLookupParameters(error) from error

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            return super().get_filters(request)
        except OverflowError as error:  # a year of forty digits, which Django's date hierarchy does not expect
            raise IncorrectLookupParameters from error


class DispatchOrderAdmin(OrderAdminBase):
    """Paid orders and where they go. Billing data is neither shown nor can it be asked for."""

    list_display = ("number", "shipping_name", "shipping_city", "shipping_country", "progress", "placed")
    list_display_links = ("number",)
    list_filter = (("shipping_country", CountryFilter),)
    search_help_text = "An order's number, or the name on the parcel."
    inlines = (DispatchLineInline,)
    fields = ("status", "placed", *SHIPPING)
    readonly_fields = ("placed",)
    actions = (
        *(print_pick_list, print_labels, print_roll_labels),
        *(mark_lines_processing, mark_lines_sent, mark_lines_cancelled),
    )
    object_history_template = "staff/dispatch_history.html"
    view_on_site = False

    LOOKUPS = frozenset(
        {"shipping_country__exact", "date_added__year", "date_added__month", "date_added__day"}
        | {"date_added__gte", "date_added__lt"}
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        visible = ("pk", "status", "date_added", "date_cancelled", *SHIPPING)
        orders: Any = super().get_queryset(request)
        return orders.for_dispatch().only(*visible)

    def lines_of(self, order: Order) -> Any:
        return order.lines.not_waiting()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return OrderList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.LOOKUPS

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        return find_orders(queryset, search_term, "shipping_name", email=False), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        """What dispatch did; the office's changes tell of addresses that are none of its business."""
        entries = LogEntry.objects.filter(
            content_type__app_label="shop",
            content_type__model="order",
            object_id=object_id,
            user__groups__name=User.DISPATCHERS,
        )
        context = {"action_list": entries.select_related("user").order_by("action_time")}
        return super().history_view(request, object_id, {**context, **(extra_context or {})})

    def _get_obj_does_not_exist_redirect(self, request: Any, opts: Any, object_id: str) -> HttpResponse:
        """An order that is not to be sent, or no longer: Django would say that it may have been deleted."""
        self.message_user(request, f"Order {object_id} is not waiting for dispatch.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:shop_order_changelist", current_app=self.admin_site.name))

    def response_change(self, request: HttpRequest, obj: Order) -> HttpResponse:
        """An order whose last line went out is done: the way leads back to the list."""
        if obj.status != Order.PAID:
            self.message_user(request, f"{obj} is done: all of its lines are sent or cancelled.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:shop_order_changelist", current_app=self.admin_site.name))
        return super().response_change(request, obj)

    @admin.display(description="order", ordering="pk")
    def number(self, order: Order) -> str:
        return str(order.pk)

    @admin.display(description="closed lines")
    def progress(self, order: Order) -> str:
        tally = order.tally()
        return f"{tally.closed} of {tally.books}"


admin.site.register(Order, OrderAdmin)
office_admin.register(Order, OrderAdmin)
dispatch_admin.register(Order, DispatchOrderAdmin)
