"""Findings in every format: complete, well-formed, safe with hostile names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import shapely

from gridmap import catalogue
from gridmap.errors import UsageError
from gridmap.exports.findings import fix_summary, write_findings
from gridmap.geometry.faults import FaultKind
from gridmap.geometry.repair import fix_partition
from gridmap.geometry.validation import Report, validate_partition

HOSTILE = "村,1:2\n::error::<b>&\"'%0A]]>\x07"
FORMATS = ("text", "json", "junit", "sarif", "github")


def parsed(xml: str) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314 -- written by ourselves


def squares(shift: float = 0.0, names: tuple[str, str] = ("990101", "990102")) -> tuple[np.ndarray, list[str]]:
    """Two squares of about 1 km, the second moved east, and a far one around a lake."""
    one, other = shapely.box(111.25, 30.75, 111.26, 30.76), shapely.box(111.26 + shift, 30.75, 111.27, 30.76)
    lake = shapely.difference(shapely.box(112, 31, 112.1, 31.1), shapely.box(112.04, 31.04, 112.06, 31.06))
    return np.array([one, other, lake], dtype=object), [*names, "far"]


def overlapping(shift: float = -1e-5, names: tuple[str, str] = ("990101", "990102")) -> Report:
    return validate_partition(*squares(shift, names))


def clean() -> Report:
    return validate_partition(*squares())


def test_text_says_the_conclusion_first_and_then_each_fault() -> None:
    lines = write_findings(overlapping(), "text", "cells.geojson", "en").splitlines()
    assert lines[0] == (
        "gridmap: cells.geojson: invalid: overlap 1; pieces 3; every gap and overlap closes under 0.957 m"
    )
    assert re.fullmatch(
        r"  overlap at 111\.259995\d*, 30\.75\d+: overlap 0\.957 m wide of 990101, 990102 \(1,06\d m²\)", lines[1]
    )
    assert lines[2].startswith("note: holes wider than 50 m")
    assert write_findings(clean(), "text", "a", "en").startswith(
        "gridmap: a: valid: 3 pieces tile their own outline exactly\n"
    )
    assert write_findings(overlapping(), "text", "a", "zh").startswith("gridmap: a: 无效")


def test_rounding_noise_is_called_so() -> None:
    assert "rounding noise" in write_findings(overlapping(-1e-12), "text", "a", "en")


def test_very_many_faults_are_cut_short_in_text_but_not_in_json() -> None:
    boxes = [shapely.box(111 + k * 1e-3, 30, 111 + (k + 1.1) * 1e-3, 30.001) for k in range(300)]
    report = validate_partition(np.array(boxes, dtype=object), [str(k) for k in range(300)])
    assert len(report.faults) == 299
    assert "… and 99 more faults" in write_findings(report, "text", "a", "en")
    assert "::… and 99 more faults" in write_findings(report, "github", "a", "en")
    assert len(json.loads(write_findings(report, "json", "a", "en"))["faults"]) == 299
    assert len(parsed(write_findings(report, "junit", "a", "en")).findall(".//failure")) == 299


def test_json_has_the_promised_shape() -> None:
    content = json.loads(write_findings(overlapping(), "json", "cells.geojson", "en"))
    assert {key: content[key] for key in ("verdict", "pieces", "areas", "holes")} == {
        "verdict": "invalid",
        "pieces": 3,
        "areas": 0,
        "holes": 1,
    }
    (fault,) = content["faults"]
    assert list(fault) == ["kind", "lon", "lat", "area_m2", "width_m", "ids", "message"]
    assert (fault["kind"], fault["ids"]) == ("overlap", ["990101", "990102"])
    assert fault["width_m"] == pytest.approx(0.957, rel=0.01)
    assert fault["area_m2"] == pytest.approx(1061, rel=0.01)
    assert 111.25999 < fault["lon"] < 111.26
    assert content["warnings"][0]["kind"] == "holes"
    assert json.loads(write_findings(clean(), "json", "a"))["verdict"] == "valid"


def test_junit_fails_one_test_a_fault_and_passes_one_where_there_is_none() -> None:
    root = parsed(write_findings(overlapping(), "junit", "cells.geojson", "en"))
    suite = root.find("testsuite")
    assert suite is not None
    assert (root.tag, suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("testsuites", "1", "1", "0")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "overlap"
    assert "990101, 990102" in str(failure.get("message"))
    passed = parsed(write_findings(clean(), "junit", "cells.geojson", "en"))
    assert len(passed.findall(".//testcase")) == 1
    assert passed.find(".//failure") is None


#: What SARIF 2.1.0 requires of the parts that we write (OASIS standard, 27 March 2020).
SARIF: Mapping[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {"uniqueItems": True, "items": {"required": ["id"]}},
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {"uri": {"pattern": "^[!-~]*$"}}
                                                    },
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}}
                                                    },
                                                },
                                            }
                                        }
                                    }
                                },
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                            },
                        }
                    },
                },
            },
        },
    },
}


@pytest.mark.parametrize("report", [overlapping(), clean(), overlapping(names=(HOSTILE, "b"))])
def test_sarif_has_what_the_standard_requires(report: Report) -> None:
    log = json.loads(write_findings(report, "sarif", "数据/cells 1.geojson", "en"))
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    errors = [result for result in run["results"] if result["level"] == "error"]
    assert len(errors) == len(report.faults)
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules


def test_github_annotates_the_file() -> None:
    lines = write_findings(overlapping(), "github", "data/cells,1.geojson", "en").splitlines()
    assert lines[0].startswith("::error file=data/cells%2C1.geojson,title=overlap 0.957 m::overlap at 111.2599")
    assert lines[1].startswith("::notice file=data/cells%2C1.geojson,title=holes::")
    assert not lines[2].startswith("::")


@pytest.mark.parametrize("lang", catalogue.LANGUAGES)
@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_break_no_format(form: str, lang: catalogue.Language) -> None:
    written = write_findings(overlapping(names=(HOSTILE, "b")), form, HOSTILE, lang)
    if form in ("json", "sarif"):
        json.loads(written)
    elif form == "junit":
        parsed(written)
    else:
        assert len(written.splitlines()) == 3
        commands = [line for line in written.splitlines() if line.startswith("::")]
        assert len(commands) == (2 if form == "github" else 0)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="text, json, junit, sarif, github"):
        write_findings(clean(), "yaml", "a")


def test_a_fix_is_summed_up_in_one_line() -> None:
    fixed = fix_partition(*squares(-5e-6))
    said = fix_summary(fixed, "en")
    assert said == "faults mended 1, left 0; pieces changed 1, by strips at most 0.479 m wide"
    assert "\n" not in fix_summary(fixed, "zh")


def test_every_kind_has_a_name_in_every_language() -> None:
    entries = catalogue.entries()
    for kind in FaultKind:
        assert {entries[f"validation.kind_{kind}"][lang] for lang in catalogue.LANGUAGES} - {""}
