"""Orders and revenue per day, and the most bought books: page, chart and CSV."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from shop.database.compiled_queries import CompiledQuery, Placeholder
from shop.models import Order
from shop.values.money import currency_symbol
from staff.models import DaySales, ProductSales, SalesSummary
from staff.models.sales import day_of, moment_of
from staff.reports.csv_download import csv_response

DAYS = 180
MOST_BOOKS = 50

Row = tuple[str, Any]


PAST_DAYS = CompiledQuery(
    lambda figure: DaySales.objects.filter(day__gte=Placeholder("first")).values_list("day", figure)
)


def figures_of_today(figure: str) -> "QuerySet[Order, Any]":
    orders = Order.objects.order_by().filter(date_added__gte=Placeholder("start"), date_added__lt=Placeholder("end"))
    return orders.values(day=Value(1)).annotate(figure=DaySales.FIGURES[figure]).values_list("figure")


TODAY = CompiledQuery(figures_of_today)


def per_day(figure: str) -> list[Row]:
    """`figure` ("orders" or "revenue") of each of the last days; zero where nothing was ordered."""
    SalesSummary.refresh()
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    figures = dict(PAST_DAYS.rows(figure, first=day_of(days[0])))
    for (number,) in TODAY.rows(figure, start=moment_of(today), end=moment_of(today + timedelta(days=1))):
        figures[today] = number
    return [(day.isoformat(), figures.get(day, 0)) for day in days]


def most_bought(period: int) -> list[Row]:
    """The books bought most in the last so many days, today included: name and number, the most bought first."""
    SalesSummary.refresh()
    return list(ProductSales.most_bought(period, timezone.localdate(), MOST_BOOKS))


def orders_per_day(request: HttpRequest, site: AdminSite) -> HttpResponseBase:
    about = "Every order, paid or not, on the day it was placed."
    return day_report(request, site, "Orders per day", "Orders", about, per_day("orders"))


def revenue_per_day(request: HttpRequest, site: AdminSite) -> HttpResponseBase:
    """What was charged for books, and not cancelled, of the paid orders that were placed on each day."""
    rows = [(day, Decimal(revenue).quantize(Decimal("0.01"))) for day, revenue in per_day("revenue")]
    about = "Books of paid orders on the day they were placed, without what was cancelled, and without delivery."
    return day_report(request, site, "Revenue per day", f"Revenue in {currency_symbol()}", about, rows)


def day_report(
    request: HttpRequest, site: AdminSite, title: str, unit: str, about: str, rows: Sequence[Row]
) -> HttpResponseBase:
    if request.GET.get("format") == "csv":
        return csv_response(f"{title.lower().replace(' ', '-')}.csv", ("Day", unit), rows)
    total = sum(number for _, number in rows)
    context = {"title": title, "about": about, "label": "Day", "unit": unit, "rows": rows[::-1], "total": total}
    return report_page(request, site, context | {"chart": "line"}, rows)


class PeriodForm(forms.Form):
    period = forms.TypedChoiceField(
        choices=[(days, f"{days} days") for days in ProductSales.PERIODS],
        coerce=int,
        label="Bought in the last",
        error_messages={"invalid_choice": "Choose 30, 60 or 90 days."},
    )


def most_bought_products(request: HttpRequest, site: AdminSite) -> HttpResponseBase:
    form = PeriodForm(request.POST if request.method == "POST" else {"period": request.GET.get("period", 30)})
    rows = most_bought(form.cleaned_data["period"]) if form.is_valid() else []
    if request.GET.get("format") == "csv" and form.is_valid():
        return csv_response(f"most-bought-{form.cleaned_data['period']}-days.csv", ("Book", "Bought"), rows)
    context = {
        "title": "Most bought products",
        "about": "Every book that was ordered, paid or not, and not cancelled.",
        "label": "Book",
        "unit": "Bought",
        "rows": rows,
        "form": form,
        "chart": "bar",
        "period": form.cleaned_data.get("period"),
    }
    return report_page(request, site, context, rows[:20])


def report_page(request: HttpRequest, site: AdminSite, context: dict[str, Any], charted: Sequence[Row]) -> HttpResponse:
    data = {
        "type": context["chart"],
        "unit": context["unit"],
        "labels": [label for label, _ in charted],
        "numbers": [float(number) for _, number in charted],
    }
    request.current_app = site.name
    return TemplateResponse(request, "staff/report.html", {**site.each_context(request), **context, "chart_data": data})
