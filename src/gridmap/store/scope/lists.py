"""Lists without the facilities that are not in reach, on each database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, case, func, literal, literal_column, null, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from gridmap.store.scope.named import Named

#: Between the identifiers of a list that is a text.
_MARK = ";"


def text_in_reach(named: Named, listed: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """List of facilities joined by semicolons, as a text."""
    if dialect == "sqlite":
        array = literal("[").concat(func.replace(func.json_quote(listed), _MARK, '","')).concat(literal("]"))
        entries = func.json_each(array).table_valued("value")
        # An array is walked in its order.
        joined = select(func.group_concat(entries.c.value, _MARK))
    else:
        entries = _numbered(func.unnest(func.string_to_array(listed, _MARK, type_=ARRAY(Text))))
        joined = select(func.string_agg(entries.c.value, aggregate_order_by(literal_column("';'"), entries.c.place)))
    kept = joined.select_from(entries).where(named.facility(entries.c.value)).correlate_except(entries)
    return case((listed.is_(None), null()), else_=func.coalesce(kept.scalar_subquery(), ""))


def texts_in_reach(named: Named, listed: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """List of facilities, as JSON."""
    if dialect == "sqlite":
        entries = func.json_each(listed).table_valued("value")
        gathered: ColumnElement[Any] = func.json_group_array(entries.c.value)
        empty: ColumnElement[Any] = literal_column("'[]'", Text)
        json: Any = JSON(none_as_null=True)
    else:
        entries = _numbered(func.jsonb_array_elements_text(listed))
        gathered = func.jsonb_agg(aggregate_order_by(entries.c.value, entries.c.place))
        empty, json = literal_column("'[]'::jsonb"), JSONB(none_as_null=True)
    kept = select(gathered).select_from(entries).where(named.facility(entries.c.value)).correlate_except(entries)
    found = case((listed.is_(None), null()), else_=func.coalesce(kept.scalar_subquery(), empty))
    return type_coerce(found, json)


def _numbered(entries: Any) -> Any:
    return entries.table_valued("value", with_ordinality="place").render_derived()
