"""Nobody takes more than their share of requests, and nobody takes anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.api.access import limits
from gridmap.api.access.limits import Rate, Windows, address_of, rate_of
from gridmap.errors import UsageError
from live_service import Live

Account = Callable[..., dict[str, str]]
Serve = Callable[..., Live]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:limits")
WRONG = {"X-API-Key": "gm_00000000_" + "A" * 43}


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Moment that the limits take for now, seconds."""
    moment = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: moment[0])
    return moment


def statuses(live: Live, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [live.get("/me", headers=headers).status_code for _ in range(count)]


@given(amount=st.integers(1, 5), seconds=st.integers(1, 4), steps=st.lists(st.floats(0, 2.5), min_size=1, max_size=40))
def test_no_stretch_as_long_as_the_window_holds_more_than_its_amount(amount: int, seconds: int, steps: list[float]):
    windows, moment, passed = Windows(Rate(amount, seconds)), 0.0, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.time, "monotonic", lambda: moment)
        for step in steps:
            moment += step
            recent = [one for one in passed if one > moment - seconds]
            wait_s = windows.hit("a")
            assert (wait_s == 0) == (len(recent) < amount)
            if wait_s:
                assert recent[0] + seconds == pytest.approx(moment + wait_s)
            else:
                passed.append(moment)


def test_threads_together_get_no_more_than_one():
    windows = Windows(Rate(50, 3600))
    with ThreadPoolExecutor(8) as pool:
        assert sum(wait_s == 0 for wait_s in pool.map(windows.hit, ["a"] * 400)) == 50


def test_windows_that_are_over_are_forgotten(clock: list[float], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "_SWEPT_AT", 10)
    windows = Windows(Rate(1, 60))
    windows._sweep_at = 10
    for number in range(10):
        windows.hit(f"old {number}")
    clock[0] += 61
    windows.hit("new")
    assert set(windows._moments) == {"new"}


def test_each_account_has_its_own_share(serve: Serve, account: Account):
    live = serve(single_user=False, rate_limit="3/minute")
    one, other = account("viewer"), account("viewer")
    assert statuses(live, 5, one) == [200, 200, 200, 429, 429]
    assert statuses(live, 1, other) == [200]
    answer = live.get("/me", headers=one)
    assert answer.headers["content-type"] == "application/problem+json"
    assert 58 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert answer.headers["ratelimit"] == f'"default";r=0;t={answer.headers["retry-after"]}'
    assert answer.headers["retry-after"] in answer.json()["detail"]


def test_who_has_no_account_has_the_share_of_their_address(serve: Serve):
    assert statuses(serve(rate_limit="3/minute"), 4) == [200, 200, 200, 429]
    assert statuses(serve(single_user=False, rate_limit="3/minute"), 4) == [401, 401, 401, 429]


def test_room_comes_back_when_the_window_has_passed(serve: Serve, account: Account, clock: list[float]):
    live = serve(single_user=False, rate_limit="2/minute")
    headers = account("viewer")
    assert statuses(live, 3, headers) == [200, 200, 429]
    clock[0] += 59
    assert statuses(live, 1, headers) == [429]
    clock[0] += 1.5
    assert statuses(live, 3, headers) == [200, 200, 429]


def test_refused_keys_are_counted_by_address_and_a_good_one_still_passes(serve: Serve, account: Account):
    live = serve(single_user=False, login_rate_limit="3/minute")
    good = account("viewer")
    assert statuses(live, 5, WRONG) == [401, 401, 401, 429, 429]
    assert statuses(live, 2, good) == [200, 200]
    assert statuses(live, 1, {"Authorization": "Basic %"}) == [429]
    # Who sends nothing has not been refused anything.
    assert statuses(live, 1) == [401]


def test_without_limits_everything_passes(serve: Serve):
    assert set(statuses(serve(login_rate_limit=""), 30, WRONG)) == {401}


def test_an_address_that_only_a_client_states_is_not_believed(serve: Serve):
    live = serve(single_user=False, rate_limit="2/minute")
    told = [live.get("/me", headers={"X-Forwarded-For": f"10.0.0.{last}"}).status_code for last in range(4)]
    assert told == [401, 401, 429, 429]


def test_an_address_that_a_trusted_proxy_states_is_believed(serve: Serve):
    live = serve(single_user=False, rate_limit="1/minute", trusted_proxies="127.0.0.1, 10.1.0.0/16")

    def asked(forwarded: str) -> int:
        return live.get("/me", headers={"X-Forwarded-For": forwarded}).status_code

    assert [asked("203.0.113.1"), asked("203.0.113.1"), asked("203.0.113.2")] == [401, 429, 401]
    # What the client wrote stands before what the proxies added.
    assert asked("198.51.100.9, 203.0.113.1") == 429
    assert asked("203.0.113.1, 10.1.2.3") == 429


@pytest.mark.parametrize("setting", ["", "  "])
def test_an_empty_setting_is_no_limit(setting: str):
    assert rate_of("X", setting) is None


def test_settings_are_read():
    assert rate_of("X", "1200/minute") == Rate(1200, 60)
    assert rate_of("X", "5 per 2 hours") == Rate(5, 7200)


@pytest.mark.parametrize("setting", ["fast", "0/minute", "-1/minute", "10", "10/fortnight", "1/minute; 5/hour"])
@pytest.mark.parametrize("name", ["rate_limit", "login_rate_limit"])
def test_a_setting_that_is_no_rate_is_refused_at_the_start(serve: Serve, name: str, setting: str):
    with pytest.raises(UsageError) as refused:
        serve(**{name: setting})
    assert f"GRIDMAP_{name.upper()}" in refused.value.message("en")
    assert setting in refused.value.message("en")


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (("203.0.113.7", 5), "203.0.113.7"),
        (("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::/64"),
        (("::ffff:203.0.113.7", 5), "203.0.113.7"),
        (("unix:", 0), "unix:"),
        (None, "-"),
    ],
)
def test_one_client_of_ipv6_has_one_address(client: tuple[str, int] | None, expected: str):
    assert address_of({"client": client}) == expected
