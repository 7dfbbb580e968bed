"""Orders and revenue per day, and the most bought books: page, chart and CSV."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from shop.models import Product
from staff.downloads import csv_response
from staff.models import DaySales, ProductSales, SalesSummary

if TYPE_CHECKING:
    from staff.offices import BackOffice

DAYS = 180
MOST_BOOKS = 50

Row = tuple[str, Any]


def last_days(count: int) -> list[date]:
    """The last `count` days in the site's time zone, the oldest first and today last."""
    today = timezone.localdate()
    return [today - timedelta(days=back) for back in reversed(range(count))]


def per_day(figure: str) -> list[Row]:
    """`figure` ("orders" or "revenue") of each of the last days; zero where nothing was ordered."""
    SalesSummary.refresh()
    days = last_days(DAYS)
    figures = dict(DaySales.objects.filter(day__gte=days[0]).values_list("day", figure))
    return [(day.isoformat(), figures.get(day, 0)) for day in days]


def most_bought(days: int) -> list[Row]:
    """The books bought most in the last so many days, today included: name and number, the most bought first."""
    SalesSummary.refresh()
    since = last_days(days)[0]
    bought = list(
        ProductSales.objects.filter(day__gte=since)
        .values("product_id")
        .annotate(bought=Sum("quantity"))
        .order_by("-bought", "product_id")
        .values_list("product_id", "bought")[:MOST_BOOKS]
    )
    names = dict(Product.objects.filter(pk__in=[pk for pk, _ in bought]).values_list("pk", "name"))
    return [(names[pk], number) for pk, number in bought if pk in names]


def orders_per_day(request: HttpRequest, site: "BackOffice") -> HttpResponseBase:
    return day_report(request, site, "Orders per day", "Orders", per_day("orders"))


def revenue_per_day(request: HttpRequest, site: "BackOffice") -> HttpResponseBase:
    return day_report(request, site, "Revenue per day", "Revenue in £", per_day("revenue"))


def day_report(
    request: HttpRequest, site: "BackOffice", title: str, unit: str, rows: Sequence[Row]
) -> HttpResponseBase:
    if request.GET.get("format") == "csv":
        return csv_response(f"{title.lower().replace(' ', '-')}.csv", ("Day", unit), rows)
    total = sum(number for _, number in rows)
    context = {"title": title, "label": "Day", "unit": unit, "rows": rows[::-1], "total": total, "chart": "line"}
    return report_page(request, site, context, rows)


class PeriodForm(forms.Form):
    period = forms.TypedChoiceField(
        choices=[(days, f"{days} days") for days in (30, 60, 90)],
        coerce=int,
        label="Bought in the last",
        error_messages={"invalid_choice": "Choose 30, 60 or 90 days."},
    )


def most_bought_products(request: HttpRequest, site: "BackOffice") -> HttpResponseBase:
    form = PeriodForm(request.POST if request.method == "POST" else {"period": request.GET.get("period", 30)})
    rows = most_bought(form.cleaned_data["period"]) if form.is_valid() else []
    if request.GET.get("format") == "csv" and form.is_valid():
        return csv_response(f"most-bought-{form.cleaned_data['period']}-days.csv", ("Book", "Bought"), rows)
    context = {
        "title": "Most bought products",
        "label": "Book",
        "unit": "Bought",
        "rows": rows,
        "form": form,
        "chart": "bar",
        "period": form.cleaned_data.get("period"),
    }
    return report_page(request, site, context, rows[:20])


def report_page(
    request: HttpRequest, site: "BackOffice", context: dict[str, Any], charted: Sequence[Row]
) -> HttpResponse:
    data = {
        "type": context["chart"],
        "unit": context["unit"],
        "labels": [label for label, _ in charted],
        "numbers": [float(number) for _, number in charted],
    }
    request.current_app = site.name  # type: ignore[attr-defined]
    return TemplateResponse(
        request, "staff/report.html", {**site.each_context(request), **context, "chart_data": data}
    )
