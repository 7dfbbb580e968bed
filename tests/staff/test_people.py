import pytest

from shop.models import Address
from tests.factories import AddressFactory


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("LIDDELL", True), ("alice lid", True), ("Alice@", True), ("bob", False), ("Alice Cratchit", False),
        ("&", False), ("", True),
    ],
)  # fmt: skip
def test_owner_finds_people_by_name_and_address(olgas, alice, bob, search, found):
    page = olgas.get("/admin/shop/user/", {"q": search}).content.decode()
    assert (f"/admin/shop/user/{alice.pk}/change/" in page) is found


@pytest.mark.parametrize(("search", "found"), [("Eyre", True), ("alice@", True), ("bob@", False), ("Rochester", False)])
def test_employee_finds_addresses_by_name_and_customer(erins, alice, search, found):
    address = AddressFactory(user=alice)
    page = erins.get("/office-admin/shop/address/", {"q": search}).content.decode()
    assert (f"address/{address.pk}/change/" in page) is found


@pytest.mark.parametrize(
    ("customer", "owner"), [("Alice@example.com", "alice"), ("{pk}", "alice"), ("999999", None), ("nobody@x.com", None)]
)
def test_employee_adds_an_address_for_a_customer(erins, alice, customer, owner):
    fields = {"name": "Jane", "address1": "1 Road", "zip_code": "LS1", "city": "Leeds", "country": "uk"}
    erins.post("/office-admin/shop/address/add/", {**fields, "user": customer.format(pk=alice.pk)})
    assert list(Address.objects.values_list("user__email", flat=True)) == ([f"{owner}@example.com"] if owner else [])
