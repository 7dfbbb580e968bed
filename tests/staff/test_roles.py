"""Every page of the staff and who may see it: an address without a row here fails."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, get_resolver

from shop.models import Company, DeliveryMethod, Product, Refund
from staff.admin_sites import dispatch_admin, office_admin
from tests.factories import AddressFactory, AuthorFactory, BasketFactory, ProductTagFactory, SeriesFactory  # fmt: skip

ROLES = ("visitor", "alice", "erin", "dan", "olga")
LOGIN, REFUSED, OK, OPEN = "login", 403, 200, "open"

# What an office answers to visitor, shopper, employee, dispatcher and owner.
OFFICES = {
    "admin": (LOGIN, REFUSED, REFUSED, REFUSED, OK),
    "office_admin": (LOGIN, REFUSED, OK, REFUSED, OK),
    "dispatch_admin": (LOGIN, REFUSED, REFUSED, OK, OK),
}
# Pages of an office that answer otherwise to those who may enter, and why.
WITHIN = {
    "login": OPEN,  # where a visitor is led
    "logout": 405,  # POST only
    "index": OK,
    "jsi18n": OK,
    "autocomplete": 403,  # without saying what to complete
    "view_on_site": 404,  # an object that is not there
    "app_list": OK,
    "catch_all": 404,
    "password_change": OK,
    "password_change_done": OK,
    "orders_per_day": OK,
    "revenue_per_day": OK,
    "most_bought_products": OK,
    "invoice": OK,
    "money": OK,
    "money_statement": OK,
    "order_money": OK,
    "money_received": 405,  # POST only, as are the three below
    "refund_make": 405,
    "refund_done": 405,
    "problem_settle": 405,
    "credit_note": 404,  # one that was never made
    "return_list": OK,
    "return_detail": 404,  # one that was never asked for
    "packing_slip": OK,
    "pack": OK,
    "address_labels": 404,  # of no orders
    "pick_list": 404,
    "auth_user_password_change": OK,
}
OF_ORDER = ("invoice", "order_money", "packing_slip", "pack")
SUFFIXES = ("changelist", "add", "change", "history", "delete")
# (office, model, view) that its office refuses to the group that works there; owners may do all but what is unwise.
NOT_FOR_ALL = {
    ("office_admin", "order", "add"), ("office_admin", "order", "delete"), ("office_admin", "product", "delete"),
    ("office_admin", "producttag", "delete"), ("office_admin", "author", "delete"),
    ("office_admin", "series", "delete"),
}  # fmt: skip
READ_ONLY = (
    "accessattempt", "accesslog", "accessfailurelog", "accessattemptexpiration", "dbtaskresult", "webhookdelivery",
    "chatmessage",
)  # fmt: skip
FOR_NOBODY = (
    {("admin", model, "add") for model in READ_ONLY}
    | {("admin", "company", "add"), ("admin", "stockmove", "add"), ("office_admin", "stockmove", "add")}
    | {("dispatch_admin", model, view) for model in ("order", "product") for view in ("add", "delete")}
)

SINGLE_PAGES = {
    # GET, then POST, for visitor, shopper, employee, dispatcher and owner.
    "order_dashboard": ((LOGIN, 403, 200, 403, 200), (405,) * 5),
    "order_dashboard_export": ((LOGIN, 403, 200, 403, 200), (405,) * 5),
    "order_mark_paid": ((405,) * 5, (LOGIN, 403, 302, 403, 302)),
    "order_invoice": ((LOGIN, 200, 200, 404, 200), (405,) * 5),
    "order_credit_note": ((LOGIN, 200, 200, 404, 200), (405,) * 5),
}
SINGLE_PATHS = {
    "order_dashboard": "/order-dashboard/",
    "order_dashboard_export": "/order-dashboard/export/",
    "order_mark_paid": "/order-dashboard/{order}/paid/",
    "order_invoice": "/orders/{order}/invoice/",
    "order_credit_note": "/orders/{order}/credit-notes/{number}/",
}


def staff_patterns():
    """Name and address pattern of every URL of `staff.urls`: those outside of the offices, and those of each."""
    singles, offices = [], {}
    for entry in get_resolver("staff.urls").url_patterns:
        if isinstance(entry, URLPattern):
            singles.append(entry.name)
        elif getattr(entry, "namespace", None) in OFFICES:
            offices[entry.namespace] = list(leaves(entry.url_patterns))
    return singles, offices


def leaves(patterns, prefix=""):
    for entry in patterns:
        if isinstance(entry, URLPattern):
            yield entry.name, prefix + str(entry.pattern)
        else:
            yield from leaves(entry.url_patterns, prefix + str(entry.pattern))


def clients(request):
    made = {"visitor": Client()}
    for name in ROLES[1:]:
        made[name] = Client()
        made[name].force_login(request.getfixturevalue(name))
    return made


def answer(response):
    """LOGIN where it leads to a log-in, else the status."""
    return LOGIN if response.status_code == 302 and "login/" in response["Location"] else response.status_code


def model_page(name):
    """("order", "change") out of "shop_order_change"; None for a page that is no model's."""
    parts = (name or "").rsplit("_", 2)
    return tuple(parts[1:]) if len(parts) == 3 and parts[2] in SUFFIXES else None


def test_every_page_outside_of_the_offices_has_a_row():
    singles, _ = staff_patterns()
    assert set(singles) >= set(SINGLE_PAGES)
    unknown = {name for name in singles if not name.startswith("api")} - set(SINGLE_PAGES)
    assert not unknown, f"Say who may see {unknown}."


@pytest.mark.parametrize("name", SINGLE_PAGES)
def test_page_is_for_those_of_its_row(request, order, name, blank_papers):
    browsers = clients(request)
    payment = order.payments.create(method="card", amount=1, status="paid")
    Refund.objects.create(payment=payment, amount=1, reason="Torn")
    number = Refund.objects.get().number
    path = SINGLE_PATHS[name].format(order=order.pk, number=number)
    for method, expected in zip(("get", "post"), SINGLE_PAGES[name], strict=True):
        found = tuple(answer(getattr(browsers[role], method)(path)) for role in ROLES)
        assert found == expected, f"{method} {path}"


def objects(order):
    """One object of each model that an office shows."""
    product = Product.objects.first()
    made = [order, order.user, product, AddressFactory(), BasketFactory(), ProductTagFactory()]
    made += [AuthorFactory(), SeriesFactory(), DeliveryMethod.objects.create(name="Post", price=3)]
    return {each._meta.model_name: each for each in made}


def path_of(office, pattern, pk):
    """An address that fits a pattern of Django's, with `pk` for every number or text in it."""
    for converter in (
        "<path:object_id>",
        "<int:pk>",
        "<int:number>",
        "<id>",
        "<path:content_type_id>",
        "<path:object_id>",
    ):
        pattern = pattern.replace(converter, str(pk))
    pattern = (
        pattern.replace("<int:content_type_id>", "999").replace("^(?P<app_label>", "(").replace("(?P<url>.*)$", "x/")
    )
    if pattern.startswith("("):
        pattern = "shop/"
    return f"/{office.replace('_', '-')}/{pattern}"


@pytest.mark.parametrize("office", OFFICES)
def test_every_page_of_an_office_is_for_its_people(request, parcel, office, blank_papers):
    # Tests that commit empty every table, that of the one company, too.
    Company.objects.current().save()
    browsers = clients(request)
    there = objects(parcel)
    staffed = {"office_admin": "erin", "dispatch_admin": "dan"}.get(office)
    for name, pattern in staff_patterns()[1][office]:
        page = model_page(name)
        if page is None and pattern.startswith("<path:object_id>"):
            continue  # Django's old address of a change form, which redirects
        if page is None and name is None:
            name = "catch_all" if "url" in pattern else None
        if name is None:
            continue
        model, view = page or (None, None)
        pk = there[model].pk if model in there else parcel.pk if name in OF_ORDER else parcel.user_id
        if model and model not in there and view in ("change", "history", "delete"):
            inside = (200, 302, 403)
        elif (office, model, view) in FOR_NOBODY:
            inside = (403,)
        else:
            assert page or name in WITHIN, f"Say what {office}:{name} answers."
            inside = (OK,) if page else (WITHIN[name],)
        path = path_of(office, pattern, pk)
        for role, expected in zip(ROLES, OFFICES[office], strict=True):
            allowed = inside
            if role == staffed and (office, model, view) in NOT_FOR_ALL:
                allowed = (403,)
            if expected != OK:
                allowed = (expected,)
            if name == "login":
                allowed = (200, 302)
            if name == "logout" and role == "visitor":
                allowed = (302, LOGIN)
            found = answer(browsers[role].get(path))
            assert found in allowed, f"{role} GET {path}: {found}, not {allowed}"
            if expected != OK and name not in ("login", "logout"):
                assert answer(browsers[role].post(path)) == expected, f"{role} POST {path}"


def test_each_office_shows_its_own_models():
    def models_of(site):
        return {model._meta.model_name for model in site._registry if model._meta.app_label == "shop"}

    office = {
        "product",
        "producttag",
        "productimage",
        "author",
        "series",
        "address",
        "order",
        "deliverymethod",
        "stockmove",
    }
    assert models_of(dispatch_admin) == {"order", "product"}
    assert models_of(office_admin) == office
    assert models_of(admin.site) >= office | {"user", "basket"}


@pytest.mark.parametrize(("role", "office"), [("erin", "office-admin"), ("dan", "dispatch-admin"), ("olga", "admin")])
def test_people_log_in_by_email_in_any_case(request, role, office):
    person, browser = request.getfixturevalue(role), Client()
    data = {"username": person.email.upper(), "password": "correct-horse-battery"}
    assert browser.post(f"/{office}/login/?next=/{office}/", data).status_code == 302
    assert browser.get(f"/{office}/").status_code == 200


@pytest.mark.parametrize(("role", "office"), [("alice", "office-admin"), ("erin", "admin"), ("dan", "office-admin")])
def test_login_of_a_wrong_office_says_no_more_than_a_wrong_password(request, role, office):
    person, browser = request.getfixturevalue(role), Client()
    right = browser.post(f"/{office}/login/", {"username": person.email, "password": "correct-horse-battery"})
    wrong = browser.post(f"/{office}/login/", {"username": person.email, "password": "wrong"})
    assert right.context["form"].non_field_errors() == wrong.context["form"].non_field_errors()
    assert browser.get(f"/{office}/").status_code == 302


def test_guessing_at_an_office_is_throttled(erin):
    browser = Client()
    for _ in range(60):
        answered = browser.post("/office-admin/login/", {"username": erin.email, "password": "wrong"}).status_code
    assert answered in (403, 429)


def test_offices_link_to_the_others_that_one_may_enter(olgas, erins):
    page = olgas.get("/admin/").content.decode()
    assert 'href="/office-admin/"' in page
    assert 'href="/dispatch-admin/"' in page
    assert 'href="/dispatch-admin/"' not in erins.get("/office-admin/").content.decode()
