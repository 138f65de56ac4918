"""Accounts at vendors: one of each from the environment, more from a file; what is wrong is told without its value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.accounts import AccountError, TelegramAccount, WhatsAppAccount, accounts, missing
from bot.app.house import configured_channels
from bot.bus.memory import MemoryBus
from bot.settings import ROOT, Settings
from bot.wording import Wording
from tests.house import MUNICIPALITY

Setenv = Callable[[str, str], None]

WHATSAPP = {
    "whatsapp_token": "EAAtoken",
    "whatsapp_phone_number_id": "106540352242922",
    "whatsapp_app_secret": "app-secret",
}
FILE = """
whatsapp-wijkteam:
  type: whatsapp
  phone_number_id: "106540352242999"
  token: {env: WIJKTEAM_TOKEN}
  app_secret: app-secret
  rate: 20
telegram-jeugd:
  type: telegram
  token: {file: %s}
"""


def settings(**values: object) -> Settings:
    return Settings(**values)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "token"
    secret.write_text("123:from-file\n")
    monkeypatch.setenv("WIJKTEAM_TOKEN", "from-environment")
    path = tmp_path / "channels.yml"
    path.write_text(FILE % secret)
    return path


def test_without_settings_there_is_none() -> None:
    assert accounts(settings()) == {}
    assert missing(settings()) == {
        "telegram": ("TELEGRAM_TOKEN",),
        "whatsapp": ("WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_APP_SECRET"),
    }


@pytest.mark.parametrize("absent", sorted(WHATSAPP))
def test_half_a_channel_is_off_and_says_what_is_missing(absent: str) -> None:
    half = settings(**{name: value for name, value in WHATSAPP.items() if name != absent})
    assert accounts(half) == {}
    assert missing(half)["whatsapp"] == (absent.upper(),)


def test_those_of_the_environment() -> None:
    found = accounts(settings(telegram_token="123:abc", **WHATSAPP))
    assert sorted(found) == ["telegram", "whatsapp"]
    whatsapp = found["whatsapp"]
    assert isinstance(whatsapp, WhatsAppAccount)
    assert whatsapp.phone_number_id == "106540352242922"
    assert "EAAtoken" not in repr(found)
    assert "app-secret" not in repr(found)


def test_more_of_them_from_a_file(file: Path) -> None:
    found = accounts(settings(channels=file, **WHATSAPP))
    assert sorted(found) == ["telegram-jeugd", "whatsapp", "whatsapp-wijkteam"]
    team, youth = found["whatsapp-wijkteam"], found["telegram-jeugd"]
    assert isinstance(team, WhatsAppAccount)
    assert (team.token.get_secret_value(), team.rate) == ("from-environment", 20)
    assert isinstance(youth, TelegramAccount)
    assert youth.token.get_secret_value() == "123:from-file"


async def test_each_is_a_channel_of_its_own(file: Path) -> None:
    wording = Wording.load(ROOT / "knowledge" / "phrases.yml", MUNICIPALITY.variables)
    made = configured_channels(
        settings(channels=file, whatsapp_templates=ROOT / "knowledge" / "templates.yml", **WHATSAPP),
        MemoryBus(),
        wording,
        MUNICIPALITY.variables,
    )
    assert sorted(made) == ["telegram-jeugd", "webchat", "whatsapp", "whatsapp-wijkteam"]
    assert all(channel.name == name for name, channel in made.items())
    assert {"antwoord_klaar", "afspraak_herinnering", "zaak_nieuws"} <= made["whatsapp"].templates.keys()
    assert made["whatsapp-wijkteam"].templates == {}
    for channel in made.values():
        await channel.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "must hold accounts"),
        ("{", "can't be read"),
        ("webchat: {type: telegram, token: x}", "no name for a channel"),
        ("Telegram: {type: telegram, token: x}", "no name for a channel"),
        ("a/b: {type: telegram, token: x}", "no name for a channel"),
        ("one: {type: signal}", "type"),
        ("one: {type: telegram}", "token"),
        ("one: {type: telegram, token: geheim, colour: red}", "colour"),
        ("one: {type: telegram, token: {env: NOT_SET_ANYWHERE}}", "the environment has no NOT_SET_ANYWHERE"),
        ("one: {type: telegram, token: {file: not-there.txt}}", "can't be read"),
        (
            "one: {type: whatsapp, token: geheim, app_secret: geheim, phone_number_id: '+31 6'}",
            "phone_number_id",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "channels.yml"
    path.write_text(text)
    with pytest.raises(AccountError) as told:
        accounts(settings(channels=path))
    assert said in str(told.value)
    assert "geheim" not in str(told.value)


def test_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    path = tmp_path / "channels.yml"
    path.write_text("one: {type: telegram}\ntwo: {type: signal}\nwebchat: {}")
    with pytest.raises(AccountError) as told:
        accounts(settings(channels=path))
    assert len(str(told.value).splitlines()) == 3


def test_the_same_number_or_name_twice(tmp_path: Path) -> None:
    one = "{type: whatsapp, token: a, app_secret: b, phone_number_id: '12345'}"
    path = tmp_path / "channels.yml"
    path.write_text(f"one: {one}\ntwo: {one}")
    with pytest.raises(AccountError, match="same phone_number_id"):
        accounts(settings(channels=path))
    path.write_text("telegram: {type: telegram, token: x}")
    with pytest.raises(AccountError, match="set in the environment already"):
        accounts(settings(channels=path, telegram_token="123:abc"))


def test_a_webhook_needs_an_address(tmp_path: Path) -> None:
    path = tmp_path / "channels.yml"
    path.write_text("one: {type: telegram, token: x, webhook_secret: y}")
    with pytest.raises(AccountError, match="PUBLIC_URL"):
        accounts(settings(channels=path))
    assert accounts(settings(channels=path, public_url="https://chat.example.nl"))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(AccountError, match="CHANNELS"):
        accounts(settings(channels=tmp_path / "absent.yml"))
