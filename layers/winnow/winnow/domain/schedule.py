"""When a model is to be trained again: the expressions of EventBridge Scheduler, rate(…) and cron(…), in UTC. Standard library only.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from winnow.domain.errors import InvalidFieldError

MOST_CHARACTERS = 256
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_RATE = re.compile(r"rate\(([1-9][0-9]{0,5}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.*)\)")
# The sweeper looks once an hour.
_LEAST = timedelta(hours=1)
_MONTHS = dict(zip(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), range(1, 13), strict=True))
_DAYS = dict(zip(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), range(1, 8), strict=True))
_YEARS = (1970, 2199)
# The 29th of February on a Monday comes once in 28 years, and once in 40 around the year 2100.
_LONGEST_WAIT = 366 * 41
_FORMS = "rate(1 day), or cron(0 3 ? * SUN *) with minute, hour, day of the month, month, day of the week and year, in UTC"

OnDay = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule. every: the time between two trainings, None for cron. minute, hours, on_day: of cron; on_day says whether a day fits."""

    every: timedelta | None = None
    minute: int = 0
    hours: tuple[int, ...] = ()
    on_day: OnDay = lambda _: False

    def after(self, at: datetime) -> datetime | None:
        """The first time after this one. None if there is none in 40 years. For a rate, `at` is the last time, or when the rate was set."""
        if self.every is not None:
            return at + self.every
        for days in range(_LONGEST_WAIT):
            day = (at + timedelta(days=days)).date()
            if not self.on_day(day):
                continue
            for hour in self.hours:
                found = datetime(day.year, day.month, day.day, hour, self.minute, tzinfo=UTC)
                if found > at:
                    return found
        return None


def check_schedule(expression: str, at: datetime) -> None:
    """InvalidFieldError says what is wrong with an expression, also if it never comes after this time."""
    if schedule_of(expression).after(at) is None:
        raise _wrong("never comes: there is no such day")


def schedule_of(expression: str) -> Schedule:
    """The schedule of an expression. InvalidFieldError if it is none."""
    if found := _RATE.fullmatch(expression):
        return _of_rate(int(found[1]), found[2], found[3])
    if (found := _CRON.fullmatch(expression)) is None:
        raise _wrong(f"must be {_FORMS}")
    return _of_cron(found[1].split())


def next_time(expression: str, last: datetime, at: datetime) -> datetime | None:
    """The first time after `at`, None if there is none. last: the time that it follows, or when the schedule was set."""
    schedule = schedule_of(expression)
    found = schedule.after(last)
    if schedule.every is not None and found is not None and found <= at:
        # However long nobody looked.
        found += schedule.every * ((at - found) // schedule.every + 1)
    return found if found is None or found > at else schedule.after(at)


def _wrong(what: str) -> InvalidFieldError:
    return InvalidFieldError(f"schedule {what}.", field="schedule")


def _of_rate(number: int, unit: str, plural: str) -> Schedule:
    if (number == 1) == bool(plural):
        raise _wrong(f"must be rate({number} {unit}{'' if number == 1 else 's'}): the unit has an s unless the number is 1")
    every = number * _UNITS[unit]
    if every < _LEAST:
        raise _wrong("must leave at least an hour between two trainings: Winnow looks once an hour")
    return Schedule(every)


def _of_cron(fields: list[str]) -> Schedule:
    if len(fields) != 6:
        raise _wrong(f"has {len(fields)} fields in cron(…), which takes six: {_FORMS}")
    minutes, hours, days, months, week_days, years = (field.upper() for field in fields)
    found = _numbers("minute", minutes, 0, 59)
    if len(found) > 1:
        raise _wrong("must name one minute: Winnow looks once an hour")
    if (days == "?") == (week_days == "?"):
        raise _wrong("must have ? for the day of the month or for the day of the week, and only for one of them")
    in_months = _numbers("month", months, 1, 12, _MONTHS)
    in_years = _numbers("year", years, *_YEARS)
    fits = _week_days(week_days) if days == "?" else _month_days(days)
    hours_of_day = tuple(sorted(_numbers("hour", hours, 0, 23)))
    return Schedule(None, min(found), hours_of_day, lambda day: day.year in in_years and day.month in in_months and fits(day))


def _numbers(what: str, field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The numbers of a field: *, 5, 5-10, 5/15, 5-30/5 and lists of these."""
    return frozenset(number for part in field.split(",") for number in _part(what, part, low, high, names or {}))


def _part(what: str, part: str, low: int, high: int, names: dict[str, int]) -> Iterator[int]:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")

    def number(text: str) -> int:
        value = names.get(text, int(text) if re.fullmatch("[0-9]{1,4}", text) else None)
        if value is None or not low <= value <= high:
            raise _wrong(f"has {part!r} for the {what}, which takes {low} to {high}, *, lists, ranges (1-5) and steps (0/6)")
        return value

    begin = low if span == "*" else number(first)
    end = number(last) if dash else high if slash or span == "*" else begin
    every = 1
    if slash:
        if not re.fullmatch("[1-9][0-9]{0,3}", step):
            raise _wrong(f"has {part!r} for the {what}, whose step must be a number above 0")
        every = int(step)
    if begin > end:
        raise _wrong(f"has {part!r} for the {what}, which begins after its end")
    yield from range(begin, end + 1, every)


def _month_days(field: str) -> OnDay:
    """Of the days of a month: also L (the last one), LW (the last weekday) and 15W (the weekday nearest to the 15th)."""
    if field == "L":
        return lambda day: day.day == _days_in(day)
    if field == "LW":
        return lambda day: day.day == _nearest_weekday(day, _days_in(day))
    if found := re.fullmatch("([0-9]{1,2})W", field):
        [wanted] = _numbers("day of the month", found[1], 1, 31)
        return lambda day: wanted <= _days_in(day) and day.day == _nearest_weekday(day, wanted)
    wanted_days = _numbers("day of the month", field, 1, 31)
    return lambda day: day.day in wanted_days


def _week_days(field: str) -> OnDay:
    """Of the days of a week, from 1 or SUN to 7 or SAT: also 6L (the last Friday of a month) and 6#3 (the third one)."""
    if found := re.fullmatch("([A-Z0-9]+)L", field):
        [wanted] = _numbers("day of the week", found[1], 1, 7, _DAYS)
        return lambda day: _week_day(day) == wanted and day.day > _days_in(day) - 7
    if found := re.fullmatch("([A-Z0-9]+)#([1-5])", field):
        [wanted] = _numbers("day of the week", found[1], 1, 7, _DAYS)
        return lambda day: _week_day(day) == wanted and (day.day + 6) // 7 == int(found[2])
    wanted_days = frozenset({7}) if field == "L" else _numbers("day of the week", field, 1, 7, _DAYS)
    return lambda day: _week_day(day) in wanted_days


def _week_day(day: date) -> int:
    """1 for Sunday."""
    return day.isoweekday() % 7 + 1


def _days_in(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """The weekday that is nearest to this day of the month, within the month."""
    week_day = day.replace(day=wanted).isoweekday()
    if week_day == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if week_day == 7:
        return wanted + 1 if wanted < _days_in(day) else wanted - 2
    return wanted
