"""WhatsApp's error codes: what each leads to, and what is said of it."""

from __future__ import annotations

import pytest

from connectors.whatsapp_errors import _TABLE, Treatment, code_of, dutch, explain, trouble


@pytest.mark.parametrize(
    ("treatment", "codes"),
    [
        (Treatment.THROTTLE, [4, 80007, 130429, 131048, 131056, 133016]),
        (Treatment.RETRY, [1, 2, 131000, 131016, 131053, 131057, 133004]),
        (Treatment.TEMPLATE, [131047]),
        (
            Treatment.FINAL,
            [0, 3, 10, 100, 190, 200, 299, 368, 130472, 131008, 131009, 131021, 131026, 131031],
        ),
        (Treatment.FINAL, [131042, 131049, 131050, 131051, 131062, 132000, 132001, 132015, 132016, 133010]),
    ],
)
def test_what_a_code_leads_to(treatment: Treatment, codes: list[int]) -> None:
    for code in codes:
        assert (code, trouble(code, 500).treatment) == (code, treatment)
        assert (code, trouble(code).treatment) == (code, treatment)


@pytest.mark.parametrize(
    ("code", "status", "treatment"),
    [
        (None, 429, Treatment.THROTTLE),
        (139999, 429, Treatment.THROTTLE),
        (None, 500, Treatment.RETRY),
        (139999, 503, Treatment.RETRY),
        (None, 400, Treatment.FINAL),
        (139999, 404, Treatment.FINAL),
        (139999, None, Treatment.RETRY),
        (None, None, Treatment.RETRY),
        (None, 302, Treatment.RETRY),
    ],
)
def test_what_an_unknown_one_leads_to(code: int | None, status: int | None, treatment: Treatment) -> None:
    assert trouble(code, status).treatment is treatment


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 131047}, 131047),
        ({"code": "131047"}, 131047),
        ({"code": 0}, 0),
        ({"code": True}, None),
        ({"code": -1}, None),
        ({"code": 10**400}, None),
        ({"code": "9" * 30}, None),
        ({"code": 1.5}, None),
        ({"code": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_codes_are_numbers(error: object, code: int | None) -> None:
    assert code_of(error) == code


def test_who_is_too_fast_knows_how_long_to_wait() -> None:
    assert trouble(131056).wait == 6
    for known in _TABLE.values():
        assert (known.wait is not None) is (known.treatment is Treatment.THROTTLE)


def test_reasons() -> None:
    assert explain(131026) == "131026: not on WhatsApp, or an old version"
    assert explain(190).startswith("190: the token has expired")
    assert explain(None, 503) == "HTTP 503: not delivered, for a reason that we don't know"
    assert explain(None, 404) == "HTTP 404: refused, for a reason that we don't know"
    assert explain(None) == "not delivered, for a reason that we don't know"
    assert dutch(131047) == "De inwoner schreef meer dan 24 uur geleden. Nu kan alleen een sjabloon."
    assert dutch(None) == dutch(139999) == "WhatsApp kon het bericht niet bezorgen."


def test_each_code_has_words_for_both() -> None:
    for code, known in _TABLE.items():
        assert 0 < len(explain(code)) <= 255
        assert known.dutch.endswith(".")
        assert known.dutch[0].isupper()
        assert not known.why.endswith(".")
