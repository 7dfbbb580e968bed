import pytest
from django.conf import settings
from django.template.loader import get_template

DIRECTORIES = [settings.BASE_DIR / "templates"] + [
    settings.BASE_DIR / app / "templates" for app in ("shop", "support", "staff")
]
TEMPLATES = sorted(
    path.relative_to(directory).as_posix()
    for directory in DIRECTORIES
    for path in directory.rglob("*.*")
    if path.suffix in {".html", ".txt", ".xml", ".json"}
)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles(name):
    get_template(name)
