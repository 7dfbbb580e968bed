"""What the phone keeps of the app, and when it takes a new version."""

import re

from django.test import Client


def version() -> str:
    worker = Client().get("/app/sw.js")
    assert worker["Content-Type"] == "text/javascript; charset=utf-8"
    assert "no-cache" in worker["Cache-Control"]
    return re.search(r"booktime-shell-(\w+)", worker.content.decode())[1]


def test_a_deployment_that_changes_the_page_is_a_new_version_and_no_change_is_none(db, settings):
    before = version()
    assert version() == before
    settings.GIT_REV = "abc123"
    assert version() != before


def test_a_changed_file_of_the_app_is_a_new_version(db, settings, tmp_path):
    before = version()
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "orders.mjs").write_text("// newer")
    settings.STATICFILES_DIRS = [tmp_path, *settings.STATICFILES_DIRS]
    assert version() != before


def test_without_its_script_the_login_leads_to_the_websites(db):
    form = re.search(r'<form class="form"[^>]*>', Client().get("/app/").content.decode())[0]
    assert 'method="get"' in form
    assert 'action="/login/"' in form
