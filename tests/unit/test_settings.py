"""Settings: from the environment, checked, and wrong ones told by name and never by value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings, SettingsError
from bot.staff.roles import Role

Setenv = Callable[[str, str], None]


def test_without_any_it_is_a_machine_of_its_own(no_environment: Setenv) -> None:
    settings = Settings.read()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.embedded
    assert settings.database == f"sqlite+aiosqlite:///{Path('var').resolve() / 'klaartje.db'}"
    assert settings.database_file == Path("var").resolve() / "klaartje.db"
    assert settings.telegram_token is settings.redis_url is settings.engine_url is None


def test_a_server_is_no_file(no_environment: Setenv) -> None:
    no_environment("DATABASE_URL", "postgresql+asyncpg://me:secret@host/name")
    settings = Settings.read()
    assert not settings.embedded
    assert settings.database_file is None


def test_empty_is_unset(no_environment: Setenv) -> None:
    for name in ("DATABASE_URL", "TELEGRAM_TOKEN", "PORT", "REDIS_URL"):
        no_environment(name, "")
    assert Settings.read().database.startswith("sqlite")
    assert Settings.read().telegram_token is None


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("PORT", "tachtig", "integer"),
        ("PORT", "65536", "65535"),
        ("PORT", "-1", "0"),
        ("DATABASE_URL", "sqlite:///geheim.db", "sqlite+aiosqlite://"),
        ("DATABASE_URL", "postgres://geheim@x/y", "postgresql+asyncpg://"),
        ("PUBLIC_URL", "geheim.example", "http://"),
        ("TELEGRAM_API_URL", "ftp://geheim", "http://"),
        ("ENGINE_URL", "geheim:5065", "http://"),
        ("OPENKLANT_URL", "geheim.example", "http://"),
        ("OPENKLANT_ACTOR", "geheim", "UUID"),
        ("APPOINTMENTS", "geheim", "qmatic"),
        ("QMATIC_URL", "geheim.example", "http://"),
        ("QMATIC_FIELDS", "phone geheim", "birth_date"),
        ("JCC_URL", "geheim.example", "http://"),
        ("CASES", "geheim", "'demo', 'zgw' or 'off'"),
        ("CASES_MINUTES", "0", "1"),
        ("ZGW_ORGANISATION", "geheim", "RSIN"),
        ("LOG_LEVEL", "geheim", "DEBUG, INFO, WARNING or ERROR"),
        ("LOG_FORMAT", "geheim", "text or json"),
        ("CONCURRENCY", "0", "1"),
        ("RETENTION_DAYS", "geheim", "integer"),
        ("TRUSTED_PROXIES", "11", "10"),
        ("SESSION_IDLE_MINUTES", "0", "1"),
        ("LOCAL_ACCOUNTS", "geheim", "boolean"),
        ("OIDC_ISSUER", "http://geheim.example", "https://"),
        ("OIDC_ISSUER", "http://127.0.0.1.geheim.example", "https://"),
        ("OIDC_ROLES", "geheim", "kcc-team=agent"),
        ("OIDC_TEAMS", "geheim", "balie=burgerzaken"),
        ("OIDC_TEAMS", "geheim=", "balie=burgerzaken"),
        ("OIDC_ROLES", "kcc=agent geheim=chief", "roles are admin, agent, editor, team-lead"),
    ],
)
def test_a_wrong_one_is_named_but_not_shown(no_environment: Setenv, name: str, value: str, part: str) -> None:
    no_environment(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert part in line
    assert "geheim" not in line


def test_all_wrong_ones_at_once(no_environment: Setenv) -> None:
    no_environment("PORT", "x")
    no_environment("LOG_LEVEL", "y")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert sorted(line.split(":")[0] for line in str(caught.value).splitlines()) == ["LOG_LEVEL", "PORT"]


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({"TELEGRAM_WEBHOOK_SECRET": "geheim"}, "PUBLIC_URL"),
        ({"OPENKLANT_URL": "https://geheim.example", "OPENKLANT_TOKEN": "geheim"}, "OPENKLANT_ACTOR"),
        ({"APPOINTMENTS": "qmatic", "QMATIC_URL": "https://geheim.example"}, "QMATIC_TOKEN"),
        ({"APPOINTMENTS": "qmatic", "QMATIC_TOKEN": "geheim"}, "QMATIC_URL"),
        (
            {"APPOINTMENTS": "qmatic", "QMATIC_URL": "https://x", "QMATIC_USER": "geheim"},
            "QMATIC_USER with QMATIC_PASSWORD",
        ),
        ({"APPOINTMENTS": "jcc", "JCC_URL": "https://geheim.example"}, "JCC_CLIENT_ID"),
        ({"ZGW_URL": "https://geheim.example"}, "ZGW_CLIENT_ID, ZGW_SECRET, ZGW_ORGANISATION"),
        ({"CASES": "zgw"}, "ZGW_URL"),
        ({"ENGINE_URL": "http://x"}, "ENGINE_SECRET"),
        ({"ENGINE_URL": "http://x", "ENGINE_SECRET": "geheim"}, "ACTIONS_SECRET"),
        ({"OIDC_ISSUER": "https://x"}, "OIDC_CLIENT_ID, OIDC_ROLES, PUBLIC_URL"),
        ({"OIDC_TEAMS_CLAIM": "geheim"}, "OIDC_TEAMS"),
        ({"LOCAL_ACCOUNTS": "false"}, "OIDC_ISSUER"),
    ],
)
def test_what_needs_another(no_environment: Setenv, given: dict[str, str], needed: str) -> None:
    for name, value in given.items():
        no_environment(name, value)
    with pytest.raises(SettingsError, match=needed) as caught:
        Settings.read()
    assert "geheim" not in str(caught.value)


def test_secrets_do_not_print(no_environment: Setenv) -> None:
    secret = (
        "TELEGRAM_TOKEN",
        "TELEGRAM_WEBHOOK_SECRET",
        "ENGINE_SECRET",
        "ACTIONS_SECRET",
        "OIDC_CLIENT_SECRET",
    )
    for name in secret:
        no_environment(name, "geheim")
    no_environment("REDIS_URL", "redis://:geheim@x")
    no_environment("PUBLIC_URL", "https://klaartje.example/")
    settings = Settings.read()
    assert "geheim" not in f"{settings!r} {settings}"
    assert settings.public_url == "https://klaartje.example"


def test_words_make_a_list(no_environment: Setenv) -> None:
    no_environment("FRAME_ANCESTORS", "https://a.example  https://b.example")
    assert Settings.read().frame_ancestors == ("https://a.example", "https://b.example")
    no_environment("FRAME_ANCESTORS", "")
    assert Settings.read().frame_ancestors == ()


def test_a_word_of_the_provider_may_give_several_roles(no_environment: Setenv) -> None:
    no_environment("OIDC_ROLES", "kcc=agent kcc=editor a=b=admin")
    assert Settings.read().roles_of_claims == {"kcc": {Role.AGENT, Role.EDITOR}, "a=b": {Role.ADMIN}}


def test_a_word_of_the_provider_may_give_several_teams(no_environment: Setenv) -> None:
    no_environment("OIDC_TEAMS", "balie=kcc balie=burgerzaken a=b=kcc")
    assert Settings.read().teams_of_claims == {"balie": {"kcc", "burgerzaken"}, "a=b": {"kcc"}}


@pytest.mark.parametrize("site", ["'unsafe-inline'", "https://a.example; script-src *", "x\nX-Evil: 1", "*,"])
def test_a_site_can_not_add_rules_to_the_page(no_environment: Setenv, site: str) -> None:
    no_environment("FRAME_ANCESTORS", site)
    with pytest.raises(SettingsError, match="FRAME_ANCESTORS"):
        Settings.read()


def test_it_does_not_change(no_environment: Setenv) -> None:
    with pytest.raises(ValidationError):
        Settings.read().port = 1  # type: ignore[misc]


def test_cases_are_made_up_for_the_municipality_that_is_made_up_alone(
    no_environment: Setenv, tmp_path: Path
) -> None:
    assert Settings.read().case_system == "demo"
    no_environment("MUNICIPALITY", str(tmp_path / "zonneveen.yml"))
    assert Settings.read().case_system == "off"
    no_environment("CASES", "demo")
    assert Settings.read().case_system == "demo"
    no_environment("CASES", "")
    for name, value in {
        "ZGW_URL": "https://zaken.example/",
        "ZGW_CLIENT_ID": "klaartje",
        "ZGW_SECRET": "geheim\n",
        "ZGW_ORGANISATION": "002564440",
    }.items():
        no_environment(name, value)
    settings = Settings.read()
    assert (settings.case_system, settings.zgw_url) == ("zgw", "https://zaken.example")
    assert settings.zgw_secret and settings.zgw_secret.get_secret_value() == "geheim"
    assert "geheim" not in repr(settings)
    no_environment("CASES", "off")
    assert Settings.read().case_system == "off"
