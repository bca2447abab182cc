"""The line's configuration: Twilio, the public address, the process, and every threshold of a call."""

import os
from functools import cached_property
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from providers.settings import CoreSettings, load


class RecordSettings(CoreSettings):
    """What is recorded of calls, where it goes and how long it is kept."""

    DATABASE_URL: str = Field(
        default="sqlite:///offhook.db",
        repr=False,
        description="Where call records go: sqlite:///file.db or postgres://user:password@host/name",
    )
    RECORDS_KEEP_DAYS: int = Field(default=30, ge=1, le=3650, description="How long records and recordings are kept")
    RECORDS_MAX_WAITING: int = Field(
        default=50_000, ge=1000, description="Events that may wait in memory for a database that is away"
    )
    RECORD_CALLS: bool = Field(default=False, description="Record the sound of calls; callers are told by `notice`")
    RECORD_WITHOUT_NOTICE: bool = Field(
        default=False, description="Record calls though the business file has no `notice` that says so"
    )
    RECORDINGS_FOLDER: str = Field(default="recordings", description="Where recordings are written during calls")
    RECORDINGS_URL: str | None = Field(
        default=None, description="Where they go after the call, as s3://bucket/prefix; they stay there if unset"
    )

    @field_validator("DATABASE_URL")
    @classmethod
    def _is_a_database_we_know(cls, url: str) -> str:
        parts = urlsplit(url)
        is_file = parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1
        if not is_file and (parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2):
            raise ValueError("must be sqlite:///file.db or postgres://user:password@host/name")
        return url

    @field_validator("RECORDINGS_URL")
    @classmethod
    def _is_a_bucket(cls, url: str | None) -> str | None:
        if url is not None and not (url.startswith("s3://") and urlsplit(url).netloc):
            raise ValueError("must be s3://bucket or s3://bucket/prefix")
        return url


class TelephonySettings(RecordSettings):
    """Durations end in the unit they are in. Every wait and every limit of a call stands here."""

    HOST: str = Field(default="0.0.0.0", description="Address to listen on")  # noqa: S104 - dynos are reached so
    PORT: int = Field(default=8000, ge=0, le=65535, description="Port to listen on (Heroku sets it)")
    WEB_CONCURRENCY: int = Field(default=1, ge=1, description="Worker processes (Heroku sets it)")
    PUBLIC_BASE_URL: str | None = Field(default=None, description="How Twilio reaches this server, as https://host")
    LOG_LEVEL: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")

    TWILIO_ACCOUNT_SID: str | None = Field(default=None, description="Your account, AC…")
    TWILIO_VALIDATE_SIGNATURES: bool = Field(
        default=True, description="Development only, refused unless the public URL is loopback"
    )
    TWILIO_AUTH_TOKEN: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="Its primary auth token: proves that Twilio is calling, opens the REST API",
    )
    TWILIO_API_BASE_URL: str = Field(
        default="https://api.twilio.com", description="Twilio's REST API; our simulator's in tests"
    )

    MAX_CALLS: int | None = Field(
        default=100, ge=1, description="Calls one process takes at a time; more callers hear that the lines are busy"
    )
    MAX_FLEET_CALLS: int | None = Field(default=None, ge=1, description="The same for all processes together")
    MAX_LAG_MS: int | None = Field(
        default=250, ge=10, description="No more calls are taken while the event loop is typically later than this"
    )
    MAX_MEMORY_MB: int | None = Field(default=None, ge=64, description="Nor while the process holds more memory")
    MAX_CALLS_PER_MINUTE: int | None = Field(default=None, ge=1, description="Calls one process takes in a minute")
    MAX_CALLS_PER_CALLER_PER_MINUTE: int | None = Field(
        default=20, ge=1, description="Of them from one number; a caller who rings more often is rejected"
    )
    BUSY_HOLD_SECONDS: int = Field(
        default=0, ge=0, le=600, description="How long callers are asked to hold on while the lines are busy"
    )
    BUSY_REDIRECT_URL: str | None = Field(
        default=None, description="Where their calls go then, as https://host/path; if unset, they shall call again"
    )

    METRICS_TOKEN: SecretStr | None = Field(
        default=None, min_length=16, description="Bearer token that opens GET /metrics; without it there is none"
    )

    VAD_MODEL_PATH: str | None = Field(
        default=None, description="Silero VAD model (ONNX) that tells speech from noise; the packaged one if unset"
    )
    TURN_END_SILENCE_MS: int = Field(default=500, ge=200, le=5000, description="Silence that ends the caller's turn")

    @field_validator("LOG_LEVEL")
    @classmethod
    def _level_exists(cls, level: str) -> str:
        valid = ["DEBUG", "INFO", "WARNING", "ERROR"]
        if level.upper() not in valid:
            raise ValueError(f"must be one of: {valid}")
        return level.upper()

    @field_validator("PUBLIC_BASE_URL")
    @classmethod
    def _twilio_can_reach_it(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "https://unset")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
            raise ValueError("must start with https://, for Twilio streams to nothing else (http:// only on loopback)")
        if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must be a bare address such as https://bot.example.com")
        return url

    @field_validator("BUSY_REDIRECT_URL")
    @classmethod
    def _is_public(cls, url: str | None) -> str | None:
        host = urlsplit(url or "https://unset").hostname or ""
        if url is not None and (not url.startswith("https://") or not host or _is_private(host)):
            raise ValueError("must start with https://, and lead to no private address")
        return url

    @field_validator("TWILIO_VALIDATE_SIGNATURES")
    @classmethod
    def _door_is_shut(cls, validate: bool, info: ValidationInfo) -> bool:
        url = info.data.get("PUBLIC_BASE_URL")
        if not validate and url and not _is_loopback(urlsplit(url).hostname or ""):
            raise ValueError("can be off only while PUBLIC_BASE_URL is a loopback address, or unset")
        return validate

    @field_validator("TWILIO_AUTH_TOKEN")
    @classmethod
    def _somebody_can_knock(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if token is None and info.data.get("TWILIO_VALIDATE_SIGNATURES", True):
            raise ValueError("is required: without it nobody can tell Twilio from a stranger")
        return token

    @property
    def public_base_url(self) -> str:
        """The configured public URL without a trailing slash; on a machine of one's own, this server's address."""
        return (self.PUBLIC_BASE_URL or f"http://127.0.0.1:{self.PORT}").rstrip("/")

    @property
    def stream_url(self) -> str:
        """Where Twilio opens the media socket: the public URL with http made ws."""
        return "ws" + self.public_base_url.removeprefix("http") + "/twilio/stream"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost"


class CallerSettings(CoreSettings):
    """What our own Twilio needs to phone a server: the account it plays, and the token it signs with."""

    TWILIO_ACCOUNT_SID: str = Field(default="AC" + 32 * "0", description="The account to play")
    TWILIO_AUTH_TOKEN: SecretStr = Field(default=SecretStr("unsigned"), description="The server's auth token")


def environment_with(**variables: str) -> dict[str, str]:
    """This process's environment with some variables set, for a server started beside us."""
    return {**os.environ, **variables}


class Settings:
    """The line's settings as one lazily read object, beside `providers.settings.settings`."""

    @cached_property
    def telephony(self) -> TelephonySettings:
        return load(TelephonySettings)

    @cached_property
    def records(self) -> RecordSettings:
        return load(RecordSettings)

    @cached_property
    def caller(self) -> CallerSettings:
        return load(CallerSettings)

    def override(self, **variables: object) -> None:
        """Set environment variables, those that are not None, for this process and the workers it starts."""
        os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
        self.reload()

    def reload(self) -> None:
        """Forget what was read, so that the next access reads the environment again."""
        self.__dict__.clear()


settings = Settings()
