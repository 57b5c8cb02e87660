"""Filters meant to break something: refused quickly and in words, or answered as the harmless texts they are."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.errors import UsageError
from gridmap.store.filters import parse_filter

GRIDS = LAYER_BY_NAME["grids"]
DEEP_TEXTS = {
    "brackets": "(" * 1800 + "demand=1" + ")" * 1800,
    "open brackets": "(" * 4000,
    "brackets around a mistake": "(" * 49 + "demand=" + ")" * 49,
    "open within the limit": "(" * 50,
    "conjunctions around a mistake": "(demand=1 AND " * 49 + "demand==" + ")" * 49,
    "negations": "NOT " * 1000 + "demand=1",
    "negated brackets": "NOT (" * 700 + "demand=1" + ")" * 700,
    "signs": "demand=" + "-" * 4000 + "1",
    "signs apart": "demand=" + "- " * 2000 + "1",
    "functions": "CASEI(" * 600 + "name" + ")" * 600,
    "lists": "demand IN (" + "(" * 1800 + "1" + ")" * 1800 + ")",
    "polygons": "S_INTERSECTS(geometry, POLYGON(" + "(" * 1800 + "0 0" + ")" * 1800 + "))",
    "collections": "S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * 190 + "POINT(1 1)" + ")" * 190 + ")",
    "powers": "demand=1" + "^1" * 2000,
    "sums": "demand=1" + "+1" * 2000,
    "comparisons": "demand" + "=demand" * 500,
    "quotes": "name='" + "\\'" * 2000,
    "double quotes": "name='" + "''" * 2000,
    "open names": '"' * 4001,
    "wildcards": f"'{'a' * 1500}' LIKE '{'%a' * 1000}b'",
    "brackets in a text": "name = '" + "(" * 4000 + "'",
}
DEEP_JSON = {
    "negations": '{"op":"not","args":[' * 200 + "true" + "]}" * 200,
    "arrays": "[" * 4000,
    "objects": '{"a":' * 800,
    "closed arrays": "[" * 2000 + "]" * 2000,
    "positions": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"MultiPolygon","coordinates":'
    + "[" * 1900
    + "]" * 1900
    + "}]}",
    "brackets in a text": json.dumps({"op": "=", "args": [{"property": "name"}, "[" * 3000 + '"' * 100]}),
}
#: Texts that are too long or deep are none of these, which are as harmless as long.
HARMLESS = {"brackets in a text", "quotes", "wildcards"}
PARSE = """
import json, sys, time
from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.errors import UsageError
from gridmap.store.filters import parse_filter
for line in sys.stdin:
    language, text = json.loads(line)
    began = time.process_time()
    try:
        parse_filter(text, language, LAYER_BY_NAME["grids"])
        ended = "read"
    except UsageError:
        ended = "refused"
    print(ended, time.process_time() - began, flush=True)
"""


@pytest.mark.parametrize(("language", "texts"), [("cql2-text", DEEP_TEXTS), ("cql2-json", DEEP_JSON)])
def test_deep_filters_end_at_once_and_leave_the_process_alive(language: str, texts: dict[str, str]):
    asked = "".join(json.dumps([language, text]) + "\n" for text in texts.values())
    done = subprocess.run(
        [sys.executable, "-c", PARSE], check=False, input=asked, capture_output=True, text=True, timeout=60
    )
    answers = done.stdout.splitlines()
    assert done.returncode == 0, (list(texts)[len(answers)], done.stderr)
    assert len(answers) == len(texts)
    for name, answer in zip(texts, answers, strict=True):
        ended, seconds = answer.split()
        assert ended == ("read" if name in HARMLESS else "refused"), name
        # Processor time of a process of its own; the generous bound is a hundredth of what backtracking would take.
        assert float(seconds) < 0.5, name


@pytest.mark.parametrize(
    "text",
    [
        "name = 'x'; DROP TABLE plan",
        "pg_sleep(10)",
        "pg_read_file('/etc/passwd') = 'x'",
        "load_extension('x')",
        "name = pg_read_file('/etc/passwd')",
        "lo_import('/etc/passwd') > 0",
        "demand = (SELECT 1)",
        "name = version()",
        "1; SELECT pg_sleep(10)",
        "gridmap_relates(name, name, name)",
        '"name"" = \'\' OR 1=1 --" = 1',
        "version_id = 1",
        "extra = 'x'",
        "fid = 1",
        "rowid = 1",
        "ctid = '(0,1)'",
        "geometry = 'x'",
        "name::text = 'x'",
        "name = $1",
        "name = :name",
        "name = ?",
        "name = %s",
        "name COLLATE \"C\" = 'x'",
        "CAST(name, 'x') = 1",
        "name ~ 'x'",
        "name || 'x' = 'x'",
        "name = 'x' /* */",
        "name = E'\\x41'",
        "name = U&'\\0041'",
        "name LIKE '%' ESCAPE 'x'",
        "EXISTS(SELECT 1)",
        "name = 'x'\x00",
        "name = 'x\x00y'",
        "\ufeffname = 'x'",
        "name = ’x’",
        "x" * 5000,
        "demand=1 AND " * 10_000 + "demand=1",
        "名" * 1366,
        "\ud800 = 1",
    ],
)
@pytest.mark.parametrize("language", ["cql2-text", "cql2-json"])
def test_what_is_no_filter_is_refused(language: str, text: str):
    began = time.process_time()
    with pytest.raises(UsageError) as refused:
        parse_filter(text, language, GRIDS)
    assert time.process_time() - began < 0.5
    for lang in ("en", "zh"):
        assert len(refused.value.message(lang)) < 400
        assert len(refused.value.mend(lang) or "") < 1000


@pytest.mark.parametrize("op", ["pg_sleep", "load_extension", "+", "s_dwithin", "t_after", "__class__", "={}", "not;"])
def test_no_operator_is_passed_on(op: str):
    for args in ([1], [{"property": "name"}, 1], [], [{"property": "demand"}, 5]):
        with pytest.raises(UsageError):
            parse_filter(json.dumps({"op": op, "args": args}), "cql2-json", GRIDS)
