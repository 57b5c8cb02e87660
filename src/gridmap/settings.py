"""Every setting of the program, in one place; each is the environment variable ``GRIDMAP_`` + its name in capitals.

What a *plan* is made with is not here: that is ``gridmap.domain.plan_settings``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of this process, read once from the environment."""

    model_config = SettingsConfigDict(env_prefix="GRIDMAP_", extra="ignore")

    language: Literal["en", "zh"] | None = Field(None, description="language of messages; default: the locale's")
    database_url: str = Field(
        # It may hold a password.
        "sqlite:///gridmap.sqlite",
        description="store of plans: an SQLite file or PostGIS",
        repr=False,
    )
    max_vertices: int = Field(20_000_000, description="most vertices one input layer may have")
    max_cells: int = Field(10_000_000, description="most cells one area may be cut into")
    max_file_bytes: int = Field(4_000_000_000, description="largest input file, bytes, also after unzipping")
    max_table_rows: int = Field(5_000_000, description="most rows one CSV or XLSX table may have")
    read_timeout_s: float = Field(600.0, description="longest time the reading of one file may take, seconds")
    read_memory_bytes: int = Field(8_000_000_000, description="most memory the reader of one file may take, bytes")

    # The service.
    data_directory: Path = Field(Path("gridmap-data"), description="folder of uploads and of results of jobs")
    base_url: str | None = Field(None, description="address under which clients reach the service, for its links")
    single_user: bool = Field(True, description="on loopback, without accounts: whoever asks may do everything")
    page_limit: int = Field(10_000, description="most features one page may have; larger limits are clamped to it")
    statement_timeout_s: float = Field(30.0, description="longest time one query of a reader may take, seconds")
    database_connections: int = Field(20, description="most connections to PostGIS one process of the service opens")
    max_exports: int = Field(2, ge=1, description="most downloads of plans made at the same time")
    shutdown_grace_s: float = Field(20.0, description="time that requests have to end when the service stops, seconds")

    # Uploads.
    max_upload_bytes: int = Field(4_000_000_000, description="largest upload, bytes")
    max_uploads: int = Field(4, description="most uploads received and looked at at the same time")
    upload_keep_days: float = Field(30.0, description="days after which an upload no job uses is removed")

    # Jobs.
    job_workers: int = Field(1, description="processes that `gridmap serve` starts to run jobs; 0: run gridmap worker")
    job_lost_after_s: float = Field(30.0, description="silence after which a worker counts as gone, seconds")
    job_attempts: int = Field(3, description="times a job is begun before it counts as failed")
    job_timeout_s: float = Field(7200.0, description="longest time one job may take, seconds")
    job_limit: int = Field(100, description="most unfinished jobs of one account")
    job_keep_days: float = Field(30.0, description="days after which an ended job is removed with its files")
    job_memory_bytes: int = Field(16_000_000_000, description="most memory one job may take, bytes")

    # Who may do what.
    oidc_issuer: str | None = Field(None, description="issuer of bearer tokens that are accepted")
    oidc_audience: str | None = Field(None, description="audience that tokens must name")
    oidc_jwks_url: str | None = Field(None, description="address of the issuer's keys; default: as it publishes it")
    oidc_role_claim: str = Field("gridmap_role", description="claim of a token with the role")
    oidc_areas_claim: str = Field("gridmap_areas", description="claim with the prefixes of area codes in reach")
    oidc_institutions_claim: str = Field("gridmap_institutions", description="claim with the institutions in reach")
    rate_limit: str = Field("1200/minute", description="most requests of one account or address; empty for no limit")
    login_rate_limit: str = Field("20/minute", description="most refused keys and tokens of one address")
    trusted_proxies: str = Field("", description="addresses of proxies whose X-Forwarded headers are believed")
    cors_origins: str = Field("", description="origins whose pages may call the service, separated by commas")

    # Operations.
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_format: Literal["json", "text"] = Field("json", description="form of the log lines")
    metrics_key: SecretStr | None = Field(None, description="key that /metrics asks for from other machines")


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
