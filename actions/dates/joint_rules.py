"""The rules that put phrases together: one beside another, ranges, open ends, choices and what is not wanted."""

from __future__ import annotations

from actions.dates.bounds import FromTo, Open
from actions.dates.clock import between_hours
from actions.dates.days import Date, Unit, Weekday
from actions.dates.grammar import GRAMMAR, any_of, merged
from actions.dates.span import Grain
from actions.dates.when import Slot, When, when


@GRAMMAR.rule("W", "W W", "W , W")
def together(one: When, other: When) -> When | None:
    """`volgende week` + `dinsdag` + `middag`"""
    return merged(one, other)


@GRAMMAR.rule("W", "W vroeg")
def early(one: When) -> When | None:
    """`morgen vroeg`"""
    return merged(one, when(between_hours(7, 10)))


@GRAMMAR.rule("W", "om W", "in W")
def around(one: When) -> When:
    """`om half drie`, `in januari`"""
    return one


@GRAMMAR.rule("W", "een WD")
def a_weekday(number: int) -> When:
    """`een maandag`"""
    return when(Weekday(number))


@GRAMMAR.rule("W", "W of|en|,|&|/ W", "W , of W")
def either(one: When, *rest: object) -> When | None:
    """`maandag of dinsdag`: what says as much of a moment; the other parts belong to both"""
    other = rest[-1]
    return any_of(one, other) if isinstance(other, When) and one.slots == other.slots else None


@GRAMMAR.rule("EITHER", "W of W", "W , W", "EITHER of W")
def either_kind(one: When, other: When) -> When:
    """`vandaag of volgende week`"""
    return any_of(one, other)


@GRAMMAR.rule("W", "na|vanaf|voor|tot|uiterlijk|t/m W")
def open_end(word: str, edge: When) -> When | None:
    """`vanaf volgende week`, `voor vrijdag`"""
    if edge.only_time or edge.slots & {Slot.OPEN, Slot.SOON}:
        return None
    kinds = {
        "na": "after",
        "vanaf": "from",
        "voor": "before",
        "tot": "before",
        "uiterlijk": "until",
        "t/m": "until",
    }
    return when(Open(kinds[word], edge))  # type: ignore[arg-type]


@GRAMMAR.rule("W", "W uiterlijk")
def at_last(edge: When) -> When | None:
    """`vrijdag op zijn laatst`"""
    return open_end("uiterlijk", edge)


@GRAMMAR.rule("W", "voor|tot|uiterlijk|t/m eind|einde W", "voor|tot|uiterlijk|t/m eind|einde UNIT")
def before_its_end(_: str, __: str, period: When | Grain) -> When | None:
    """`voor het einde van de maand`"""
    edge = when(Unit(period)) if isinstance(period, Grain) else period
    return open_end("uiterlijk", edge)


@GRAMMAR.rule("W", "W tot|t/m|-|– W", "tussen W en W")
def from_to(one: When, *rest: object) -> When | None:
    """`van maandag tot en met woensdag`"""
    other = rest[-1]
    if not isinstance(other, When) or one.only_time or other.only_time:
        return None
    if (one.slots | other.slots) & {Slot.OPEN, Slot.SOON}:
        return None
    return when(FromTo(one, other))


@GRAMMAR.rule("W", "N tot|t/m|-|– W", "ORD tot|t/m|-|– W", "tussen N en W", "tussen ORD en W")
def dates_from_to(number: int, *rest: object) -> When | None:
    """`3 tot 5 december`"""
    other = rest[-1]
    if not isinstance(other, When) or not isinstance(last := other.parts[-1], Date) or number > 31:
        return None
    return when(FromTo(when(Date(number, last.month, last.year)), other))


@GRAMMAR.rule("W", "later|verder")
def later(_: str) -> When:
    """`kan het later?`"""
    return when(Open("from"))


@GRAMMAR.rule("W", "eerder|vroeger")
def earlier(_: str) -> When:
    """`kan het eerder?`"""
    return when(Open("before"))


@GRAMMAR.rule("NOT", "niet|geen|behalve|zonder W", "W kan_niet|niet")
def unwanted(*given: object) -> When | None:
    """`niet op maandag`, `vrijdag kan ik niet`"""
    return next((g for g in given if isinstance(g, When)), None)


@GRAMMAR.rule("CANNOT", "kan_niet W")
def cannot(one: When) -> When:
    """`ik kan niet op maandag`"""
    return one


@GRAMMAR.rule("NOT", "CANNOT")
def cannot_at(one: When) -> When:
    """The same, where nothing before it belongs to it."""
    return one
