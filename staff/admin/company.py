"""Who sells, and what of a price is VAT: the owners' own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from shop.models import Company, VatRate


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin[Company]):
    fields = ("name", "address", "vat_number", "bank_details", "email", "returns")
    list_display = ("name", "vat_number", "email")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Company.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(VatRate)
class VatRateAdmin(admin.ModelAdmin[VatRate]):
    list_display = ("country", "format", "percent")
    list_filter = ("country",)
