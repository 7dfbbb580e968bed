import re

import pytest
import yaml


@pytest.fixture
def schema(client, db) -> dict:
    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    return yaml.safe_load(answer.content)


def test_document_is_openapi_3_1_of_the_contracts_paths_and_no_others(schema):
    assert schema["openapi"].startswith("3.1")
    assert sorted(schema["paths"]) == [
        "/api/orderlines/",
        "/api/orderlines/{id}/",
        "/api/orders/",
        "/api/orders/{id}/",
        "/api/orders/{id}/parcels/",
        "/mobile-api/auth/",
        "/mobile-api/my-orders/",
        "/mobile-api/my-orders/{id}/messages/",
        "/mobile-api/my-orders/{id}/tracker/",
    ]
    for path, operations in schema["paths"].items():
        if path.startswith("/mobile-api/"):
            continue
        of_one = ["get", "post"] if path.endswith("/parcels/") else ["get", "patch", "put"]
        assert sorted(operations) == (of_one if "{id}" in path else ["get"])


def test_every_status_a_client_may_meet_is_explained(schema):
    patch = schema["paths"]["/api/orders/{id}/"]["patch"]["responses"]
    assert sorted(patch) == ["200", "400", "401", "403", "404", "406", "412", "413", "415", "422", "429"]
    assert all(response["description"] for response in patch.values())
    assert "Retry-After" in patch["429"]["headers"]
    assert "WWW-Authenticate" in patch["401"]["headers"]


def test_sending_a_parcel_is_described(schema):
    of_order = schema["paths"]["/api/orders/{id}/parcels/"]
    assert "201" in of_order["post"]["responses"] and "404" in of_order["get"]["responses"]
    asked = schema["components"]["schemas"]["ParcelRequest"]
    assert asked["required"] == ["carrier", "tracking_number"] and asked["properties"]["lines"]["minItems"] == 1
    [order] = [each for each in of_order["post"]["parameters"] if each["in"] == "path"]
    assert "order" in order["description"]


def test_a_page_of_the_document_is_the_page_that_is_served(schema):
    page = schema["components"]["schemas"]["PaginatedOrderLineList"]
    assert page["required"] == ["count", "next", "previous", "results"]
    assert page["properties"]["next"] == {"type": ["string", "null"], "format": "uri"}


@pytest.mark.parametrize(
    ("field", "text", "good"),
    [("shipping_city", "a\0b", False), ("shipping_city", " ", False), ("shipping_city", "é", True)],
)
def test_document_says_which_texts_are_refused(schema, field, text, good):
    pattern = schema["components"]["schemas"]["OrderRequest"]["properties"][field]["pattern"]
    assert bool(re.search(pattern, text)) is good


def test_filters_of_a_list_are_described(schema):
    filters = {
        path: [
            parameter["name"] for parameter in schema["paths"][path]["get"]["parameters"] if parameter["in"] == "query"
        ]
        for path in ("/api/orders/", "/api/orderlines/")
    }
    moments = ["date_added__gt", "date_added__lt", "date_updated__gt", "date_updated__lt"]
    assert sorted(filters["/api/orders/"]) == [*moments, "page", "status"]
    assert sorted(filters["/api/orderlines/"]) == ["order", "page", "status"]


def test_headers_for_retries_and_preconditions_are_described(schema):
    names = {parameter["name"] for parameter in schema["paths"]["/api/orders/{id}/"]["put"]["parameters"]}
    assert {"Idempotency-Key", "If-Match", "id"} <= names


def test_docs_page_brings_no_script_or_style_of_its_own(client, db):
    page = client.get("/api/docs/")
    html = page.content.decode()
    assert page.status_code == 200
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", html)
    policy = page["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
