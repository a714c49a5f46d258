"""The expressions of schedules: when they come next, and what is wrong with those that are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from winnow.domain.errors import InvalidFieldError
from winnow.domain.schedule import check_schedule, next_time

# A Monday.
MONDAY = datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC)


def after(expression: str, at: datetime = MONDAY) -> str:
    found = next_time(expression, at, at)
    assert found is not None
    return f"{found:%a %Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 hour)", "Mon 2026-03-02 10:15:30"),
        ("rate(60 minutes)", "Mon 2026-03-02 10:15:30"),
        ("rate(1 day)", "Tue 2026-03-03 09:15:30"),
        ("rate(7 days)", "Mon 2026-03-09 09:15:30"),
        ("cron(0 * * * ? *)", "Mon 2026-03-02 10:00:00"),
        ("cron(30 9 * * ? *)", "Mon 2026-03-02 09:30:00"),
        ("cron(15 9 * * ? *)", "Tue 2026-03-03 09:15:00"),
        ("cron(0 3 ? * SUN *)", "Sun 2026-03-08 03:00:00"),
        ("cron(0 3 ? * sun *)", "Sun 2026-03-08 03:00:00"),
        ("cron(0 3 ? * 1 *)", "Sun 2026-03-08 03:00:00"),
        ("cron(0 3 ? * MON-FRI *)", "Tue 2026-03-03 03:00:00"),
        ("cron(0 0/6 * * ? *)", "Mon 2026-03-02 12:00:00"),
        ("cron(0 3,15 * * ? *)", "Mon 2026-03-02 15:00:00"),
        ("cron(0 8-10/2 * * ? *)", "Mon 2026-03-02 10:00:00"),
        ("cron(0 3 1 * ? *)", "Wed 2026-04-01 03:00:00"),
        ("cron(0 3 L * ? *)", "Tue 2026-03-31 03:00:00"),
        ("cron(0 3 L FEB ? *)", "Sun 2027-02-28 03:00:00"),
        ("cron(0 3 LW 5 ? *)", "Fri 2026-05-29 03:00:00"),
        ("cron(0 3 15W 3 ? *)", "Mon 2026-03-16 03:00:00"),
        ("cron(0 3 15W 8 ? *)", "Fri 2026-08-14 03:00:00"),
        ("cron(0 3 1W 8 ? *)", "Mon 2026-08-03 03:00:00"),
        ("cron(0 3 31W 5 ? *)", "Fri 2026-05-29 03:00:00"),
        ("cron(0 3 ? * 6L *)", "Fri 2026-03-27 03:00:00"),
        ("cron(0 3 ? * L *)", "Sat 2026-03-07 03:00:00"),
        ("cron(0 3 ? * TUE#2 *)", "Tue 2026-03-10 03:00:00"),
        ("cron(0 3 ? 6/3 MON *)", "Mon 2026-06-01 03:00:00"),
        ("cron(0 3 29 2 ? *)", "Tue 2028-02-29 03:00:00"),
        ("cron(0 3 1 1 ? 2030)", "Tue 2030-01-01 03:00:00"),
    ],
)
def test_the_next_time(expression: str, expected: str) -> None:
    assert after(expression) == expected


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("daily", "must be rate(1 day), or cron("),
        ("at(2026-03-03T03:00:00)", "must be rate(1 day), or cron("),
        ("rate(0 days)", "must be rate(1 day), or cron("),
        ("rate(1 days)", "must be rate(1 day): the unit has an s unless the number is 1."),
        ("rate(2 day)", "must be rate(2 days): the unit has an s unless the number is 1."),
        ("rate(1 week)", "must be rate(1 day), or cron("),
        ("rate(59 minutes)", "must leave at least an hour"),
        ("cron(0 3 * * *)", "has 5 fields in cron(…), which takes six"),
        ("cron(0 3 * * * *)", "must have ? for the day of the month or for the day of the week"),
        ("cron(0 3 ? * ? *)", "must have ? for the day of the month or for the day of the week"),
        ("cron(0/30 3 * * ? *)", "must name one minute"),
        ("cron(* * * * ? *)", "must name one minute"),
        ("cron(60 3 * * ? *)", "has '60' for the minute, which takes 0 to 59"),
        ("cron(0 24 * * ? *)", "has '24' for the hour, which takes 0 to 23"),
        ("cron(0 3 32 * ? *)", "has '32' for the day of the month"),
        ("cron(0 3 * 13 ? *)", "has '13' for the month"),
        ("cron(0 3 ? * 8 *)", "has '8' for the day of the week"),
        ("cron(0 3 ? * FUN *)", "has 'FUN' for the day of the week"),
        ("cron(0 3 ? * 2#6 *)", "has '2#6' for the day of the week"),
        ("cron(0 3 * * ? 1969)", "has '1969' for the year"),
        ("cron(0 5-3 * * ? *)", "begins after its end"),
        ("cron(0 0/0 * * ? *)", "whose step must be a number above 0"),
        ("cron(0 3 30 2 ? *)", "never comes"),
        ("cron(0 3 1 1 ? 2020)", "never comes"),
    ],
)
def test_a_bad_expression_is_refused_with_what_to_fix(expression: str, sentence: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        check_schedule(expression, MONDAY)
    assert refused.value.sentence.startswith("schedule ")
    assert sentence in refused.value.sentence
    assert refused.value.field == "schedule"


def test_a_rate_that_nobody_looked_at_goes_on_from_its_own_times() -> None:
    late = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
    assert next_time("rate(1 day)", MONDAY, late) == datetime(2026, 3, 6, 9, 15, 30, tzinfo=UTC)
    assert next_time("rate(1 day)", MONDAY, MONDAY.replace(day=3)) == MONDAY.replace(day=4)
    assert next_time("cron(0 3 * * ? *)", MONDAY, late) == datetime(2026, 3, 6, 3, 0, tzinfo=UTC)


def test_a_schedule_of_one_year_ends_with_it() -> None:
    last = datetime(2026, 12, 31, 3, 0, tzinfo=UTC)
    assert next_time("cron(0 3 * * ? 2026)", last, last) is None
