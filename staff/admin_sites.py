"""The three back offices: who may enter, what each is called, and its login page.

What stands in them is registered by the modules of `staff.admin`.
"""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, URLResolver, path, reverse

from shop.forms import OwnPasswordForm
from shop.models import User
from shop.values.email_addresses import canonical
from shop.views.accounts import password_was_changed
from staff import packing
from staff.money import views as money
from staff.papers import dispatch_papers, invoices
from staff.query_string_limits import shortened
from staff.reports.views import most_bought_products, orders_per_day, revenue_per_day
from staff.returns import views as returns


class OfficeLoginForm(AdminAuthenticationForm):
    """E-mail and password; only who may enter `site` gets in, and nobody else is told more than that."""

    def __init__(self, *args: Any, site: "BackOffice", **kwargs: Any) -> None:
        self.site = site
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            # By its own name and in one spelling, so that wrong passwords are counted for one account.
            self.user_cache = authenticate(self.request, email=canonical(email), password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data

    def confirm_login_allowed(self, user: Any) -> None:
        if not self.site.admits(user):
            raise self.get_invalid_login_error()


class OfficePasswordChange(PasswordChangeView):
    """Django's page for one's own password, with what the shop's has: wrong ones are counted, the owner is told."""

    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            password_was_changed(self.request, form.user)
        return response


class BackOffice(AdminSite):
    """One of the three. `theme` names its style sheet, `static/css/admin-<theme>.css`."""

    theme: ClassVar[str]
    office_name: ClassVar[str]
    login_template = "staff/login.html"
    # Reports and invoices, and the links to them.
    shows_money: ClassVar[bool] = True
    enable_nav_sidebar = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # Django asks for a class; all that it does is to call it.
        self.login_form = partial(OfficeLoginForm, site=self)  # type: ignore[assignment]

    @staticmethod
    def admits(user: Any) -> bool:
        """Whether this person may enter."""
        raise NotImplementedError

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and self.admits(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A visitor is led to this office's login; who is logged in and has no business here is refused."""
        inner = super().admin_view(view, cacheable)

        def admitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied("Your account has no access to this office.")
            request.GET = shortened(request.GET)  # type: ignore[assignment]
            return inner(request, *args, **kwargs)

        return admitted

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        request.current_app = self.name
        return OfficePasswordChange.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)

    def each_context(self, request: Any) -> dict[str, Any]:
        sites: tuple[Any, ...] = (admin.site, office_admin, dispatch_admin)
        offices = [site for site in sites if site.admits(request.user)]
        return {
            **super().each_context(request),
            "theme": self.theme,
            "shows_money": self.shows_money,
            "other_offices": [
                (reverse("admin:index", current_app=site.name), site.office_name)
                for site in offices
                if site.name != self.name
            ],
        }

    def get_urls(self) -> list[URLResolver | URLPattern]:
        if not self.shows_money:
            return super().get_urls()
        return [
            *(
                path(f"{report.__name__}/", self.admin_view(report), {"site": self}, report.__name__)
                for report in (orders_per_day, revenue_per_day, most_bought_products)
            ),
            path("invoice/<int:pk>/", self.admin_view(invoices.invoice), name="invoice"),
            path("money/", self.admin_view(money.money_page), {"site": self}, "money"),
            path("money/statement/", self.admin_view(money.statement), {"site": self}, "money_statement"),
            path("money/orders/<int:pk>/", self.admin_view(money.order_money), {"site": self}, "order_money"),
            *(
                path(f"money/{what}/", self.admin_view(view), {"site": self}, view.__name__)
                for what, view in (
                    ("orders/<int:pk>/received", money.money_received),
                    ("orders/<int:pk>/refund", money.refund_make),
                    ("refunds/<int:pk>/done", money.refund_done),
                    ("problems/<int:pk>", money.problem_settle),
                )
            ),
            path("returns/", self.admin_view(returns.return_list), {"site": self}, "return_list"),
            path("returns/<int:pk>/", self.admin_view(returns.return_detail), {"site": self}, "return_detail"),
            path("credit-note/<int:number>/", self.admin_view(invoices.credit_note), name="credit_note"),
            *super().get_urls(),
        ]


class OwnerSite(BackOffice):
    office_name = "Owners"
    site_header = "BookTime owners"
    site_title = "BookTime owners"
    index_title = "Everything"
    theme = "owner"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)

    @staticmethod
    def admits(user: Any) -> bool:
        return bool(user.is_active and user.is_superuser)


class OfficeSite(BackOffice):
    office_name = "Central office"
    site_header = "BookTime central office"
    site_title = "BookTime central office"
    index_title = "Books and orders"
    theme = "office"

    @staticmethod
    def admits(user: Any) -> bool:
        return isinstance(user, User) and user.is_employee


class DispatchSite(BackOffice):
    office_name = "Dispatch"
    site_header = "BookTime dispatch"
    site_title = "BookTime dispatch"
    index_title = "Orders to send"
    theme = "dispatch"
    shows_money = False

    @staticmethod
    def admits(user: Any) -> bool:
        return isinstance(user, User) and user.is_dispatcher

    def get_urls(self) -> list[URLResolver | URLPattern]:
        papers = dispatch_papers
        return [
            path("packing-slip/<int:pk>/", self.admin_view(papers.packing_slip), name="packing_slip"),
            path("pack/<int:pk>/", self.admin_view(packing.pack), {"site": self}, "pack"),
            path("address-labels/", self.admin_view(papers.address_labels), name="address_labels"),
            path("pick-list/", self.admin_view(papers.pick_list), name="pick_list"),
            *super().get_urls(),
        ]


office_admin = OfficeSite("office_admin")
dispatch_admin = DispatchSite("dispatch_admin")
