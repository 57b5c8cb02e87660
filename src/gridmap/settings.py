"""Every setting of the program, in one place; each is the environment variable ``GRIDMAP_`` + its name in capitals.

What a *plan* is made with is not here: that is ``gridmap.domain.plan_settings``.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of this process, read once from the environment."""

    model_config = SettingsConfigDict(env_prefix="GRIDMAP_", extra="ignore")

    language: Literal["en", "zh"] | None = Field(None, description="language of messages; default: the locale's")
    database_url: str = Field("sqlite:///gridmap.sqlite", description="store of plans: an SQLite file or PostGIS")
    max_vertices: int = Field(20_000_000, description="most vertices one input layer may have")
    max_cells: int = Field(10_000_000, description="most cells one area may be cut into")
    max_file_bytes: int = Field(4_000_000_000, description="largest input file, bytes, also after unzipping")
    max_table_rows: int = Field(5_000_000, description="most rows one CSV or XLSX table may have")
    read_timeout_s: float = Field(600.0, description="longest time the reading of one file may take, seconds")
    read_memory_bytes: int = Field(8_000_000_000, description="most memory the reader of one file may take, bytes")


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
