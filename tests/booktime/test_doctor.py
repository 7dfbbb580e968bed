import time

import pytest

from booktime.observing import doctor


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "well"), [(1, True), (-1, True), (3600, False), (-3600, False)])
def test_clock_that_is_apart_from_the_databases_is_told(monkeypatch, seconds, well):
    real = time.time
    monkeypatch.setattr(doctor.time, "time", lambda: real() + seconds)
    clock = next(check for check in doctor.checks(1) if check.name == "clock")
    state, sentence = doctor.result_of(clock)
    assert state == ("ok" if well else "FAILED")
    assert well or "timedatectl set-ntp true" in sentence


def test_secret_in_what_a_library_says_is_not_repeated(settings):
    settings.REDIS_URL = "redis://:p%40ss-of-redis@127.0.0.1/0"
    settings.EMAIL_HOST_PASSWORD = "pass-of-mail"

    def fail():
        raise OSError("no p@ss-of-redis, no p%40ss-of-redis, no pass-of-mail\nand more")

    state, sentence = doctor.result_of(doctor.Check("any", fail, "Mend it."))
    assert (state, sentence) == ("FAILED", "OSError: no ***, no ***, no ***. Mend it.")
