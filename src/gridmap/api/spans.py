"""Parameters that many routes share: which plan, which version, how much of a list."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

#: Largest number that both databases count versions with.
MOST = 2**31 - 1

PlanId = Annotated[str, Path(max_length=200, description="identifier of a plan")]
VersionNumber = Annotated[int, Field(ge=1, le=MOST)]
Number = Annotated[int, Path(ge=1, le=MOST, description="number of a version")]
#: Version that a finding is asked of.
Version = Annotated[int | None, Query(ge=1, le=MOST, description="number of a version; default: the one in force")]
Limit = Annotated[int, Query(ge=1, description="most entries of a page; more than the service allows is less")]
Offset = Annotated[int, Query(ge=0, le=MOST, description="entries to pass over")]
