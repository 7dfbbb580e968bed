"""Twenty years of a company, each with its own misfortunes: see `tests.company.year`."""

import pytest

from tests.company.year import a_company, live

pytestmark = pytest.mark.django_db
YEARS, YEARS_A_TEST = 20, 5


@pytest.mark.parametrize("first", range(0, YEARS, YEARS_A_TEST))
def test_everything_agrees(first):
    with a_company():
        for number in range(first, first + YEARS_A_TEST):
            live(number)
