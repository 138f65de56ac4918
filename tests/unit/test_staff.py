"""Roles, passwords, codes and tokens by themselves."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher, Type

from bot.staff import recovery, totp
from bot.staff.passwords import Passwords, problems
from bot.staff.roles import DUTCH, PERMISSIONS, Permission, Role, known, permitted
from bot.staff.secret import hashed, is_token, new_token
from bot.staff.sessions import Visit
from bot.web.staff.door import START, onward

QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class TestRoles:
    def test_every_role_is_in_the_table_and_has_a_name(self) -> None:
        assert set(PERMISSIONS) == set(DUTCH) == set(Role)
        assert set().union(*PERMISSIONS.values()) == set(Permission)

    def test_without_a_role_nothing_is_allowed(self) -> None:
        assert not any(permitted([], permission) for permission in Permission)
        assert known(["chief", "Admin", "", 3, None, ["agent"]]) == frozenset()

    def test_several_roles_add_up(self) -> None:
        both = [Role.AGENT, Role.EDITOR]
        assert permitted(both, Permission.ANSWER) and permitted(both, Permission.EDIT_ARTICLES)
        assert not permitted(both, Permission.MANAGE_STAFF)

    @pytest.mark.parametrize("permission", [Permission.SEE_CONVERSATIONS, Permission.SEE_FILES])
    def test_who_runs_it_or_writes_sees_nothing_of_residents(self, permission: Permission) -> None:
        assert not permitted([Role.ADMIN, Role.EDITOR], permission)


class TestPasswords:
    @pytest.mark.parametrize(
        "password",
        ["paarse fiets onder water", "Xk9#mQ2$vL7!", "mijn welkom op het strand", "wachtwoordmanager 84 bos"],
    )
    def test_good_ones(self, password: str) -> None:
        assert problems(password, "sanne", "Sanne de Vries") == []

    @pytest.mark.parametrize(
        ("password", "why"),
        [
            ("kort", "te kort"),
            ("x" * 201, "te lang"),
            ("lange sanne in het bos", "naam"),
            ("een SANNE in het bos", "naam"),
            ("de vries is koud weer", "naam"),
            ("aaaaaaaaaaaaaaa", "dezelfde"),
            ("abababababababab", "dezelfde"),
            ("wachtwoord123", "raden"),
            ("Welkom2026!!", "raden"),
            ("1234567890123", "raden"),
        ],
    )
    def test_bad_ones(self, password: str, why: str) -> None:
        assert any(why in problem for problem in problems(password, "sanne", "Sanne de Vries"))

    def test_letters_of_a_name_are_no_name(self) -> None:
        assert problems("de fiets van boven", "jo", "Jo de B") == []

    async def test_kept_as_argon2id(self) -> None:
        kept = await Passwords().hash("paarse fiets onder water")
        assert kept.startswith("$argon2id$")
        assert PasswordHasher().type is Type.ID and PasswordHasher().memory_cost >= 19 * 1024  # OWASP, 2024
        assert await Passwords().fits("paarse fiets onder water", kept)
        assert not await Passwords().fits("paarse fiets onder water ", kept)

    async def test_the_same_letters_from_another_keyboard(self) -> None:
        passwords = Passwords(QUICK)
        assert await passwords.fits("cafe\u0301 met uitzicht", await passwords.hash("caf\u00e9 met uitzicht"))

    async def test_nobody_has_no_password(self) -> None:
        passwords = Passwords(QUICK)
        for tried in ("", "nobody has this password"):
            assert not await passwords.fits(tried, None)
        assert not await passwords.fits("x", "not a hash")

    async def test_an_endless_password_costs_no_more(self) -> None:
        assert not await Passwords(QUICK).fits("x" * 100_000, None)

    async def test_less_work_than_today_is_old(self) -> None:
        assert Passwords().is_old(await Passwords(QUICK).hash("x"))
        assert not Passwords(QUICK).is_old(await Passwords(QUICK).hash("x"))

    async def test_two_at_once_at_most(self) -> None:
        running = most = 0

        class Slow(PasswordHasher):
            def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
                nonlocal running, most
                running += 1
                most = max(most, running)
                time.sleep(0.01)
                running -= 1
                return True

        passwords = Passwords(Slow(time_cost=1, memory_cost=64, parallelism=1))
        await asyncio.gather(*(passwords.fits("x", "x") for _ in range(10)))
        assert most == 2


class TestTotp:
    NOW = datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)

    def test_half_a_minute_each_way(self) -> None:
        secret = totp.new_secret()
        assert re.fullmatch(r"[A-Z2-7]{32}", secret)
        step = int(self.NOW.timestamp()) // totp.STEP
        for away, expected in ((-60, None), (-30, step - 1), (0, step), (30, step + 1), (60, None)):
            code = pyotp.TOTP(secret).at(self.NOW + timedelta(seconds=away))
            assert totp.step_of(secret, code, self.NOW) == expected
        code = pyotp.TOTP(secret).at(self.NOW)
        assert totp.step_of(secret, f" {code[:3]} {code[3:]}\n", self.NOW) == step

    @pytest.mark.parametrize("wrong", ["", "0", "é" * 6, "1234567", "abcdef"])
    def test_what_is_no_code(self, wrong: str) -> None:
        assert totp.step_of(totp.new_secret(), wrong, self.NOW) is None

    def test_the_picture_has_no_style_or_script(self) -> None:
        told = totp.address("JBSWY3DPEHPK3PXP" * 2, "sanne", "Klaartje Gemeente Zonneveen")
        assert told.startswith("otpauth://totp/Klaartje%20Gemeente%20Zonneveen:sanne?secret=JBSWY3DPEHPK3PXP")
        drawn = totp.picture(told)
        assert drawn.startswith("<svg") and not re.search(r"style|script|href|<\?xml", drawn)

    def test_the_secret_to_type(self) -> None:
        assert totp.spaced("JBSWY3DPEHPK3PXP") == "JBSW Y3DP EHPK 3PXP"


def test_recovery_codes_are_many_and_long_and_kept_as_hashes() -> None:
    codes = recovery.new_codes()
    assert len(set(codes)) == recovery.COUNT
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}", code) for code in codes)
    assert recovery.hash_of(codes[0]) == recovery.hash_of(f" {codes[0].upper().replace('-', ' ')} ")
    assert re.fullmatch(r"[0-9a-f]{64}", recovery.hash_of(codes[0]))


def test_tokens() -> None:
    one, other = new_token(), new_token()
    assert one != other and is_token(one) and not is_token(one + "x") and not is_token(f"{one[:-1]}é")
    assert hashed(one) == hashed(one) != hashed(other)
    assert Visit(one).csrf != hashed(one) and Visit(one).csrf != Visit(other).csrf


@pytest.mark.parametrize("wanted", ["/kcc", "/kcc/queue", "/redactie/a-b_c.d", "/sturing", "/account/app"])
def test_onward_to_our_own_pages(wanted: str) -> None:
    assert onward(wanted) == wanted


@pytest.mark.parametrize(
    "wanted", [None, "", "/", "//kcc", "/kccx", "/kcc?x=//y", "/kcc\n", "https://kcc/", 3]
)
def test_onward_to_nothing_else(wanted: object) -> None:
    assert onward(wanted) == START
