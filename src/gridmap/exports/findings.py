"""Write what validation found: for people, for programs and for continuous integration.

========  =====================================================================================
format    for
========  =====================================================================================
text      people: the conclusion first, then a line a fault
json      programs: one object, see ``as_json``
junit     test reports of Jenkins, GitLab and others: one failed test a fault
sarif     code scanning: SARIF 2.1.0
github    annotations of a GitHub workflow
========  =====================================================================================
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote
from xml.etree import ElementTree

import orjson

from gridmap import catalogue
from gridmap.errors import UsageError
from gridmap.geometry.faults import Fault, FaultKind, degrees, metres
from gridmap.geometry.repair import FixedPartition
from gridmap.geometry.validation import Report

Format = Literal["text", "json", "junit", "sarif", "github"]

#: Gaps that close under this are called rounding noise.
ROUNDING_NOISE_M = 0.05
_MOST_LINES = 200
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Characters that XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_findings(report: Report, form: str, file: str, lang: catalogue.Language | None = None) -> str:
    """Write findings in one of the formats.

    Parameters
    ----------
    report : what was found
    form : ``text``, ``json``, ``junit``, ``sarif`` or ``github``
    file : name of the validated file, as messages show it
    lang : language of messages, default that of the process

    Raises
    ------
    UsageError
        If there is no such format.
    """
    if form not in _WRITERS:
        raise UsageError("validation.unknown_format", format=form, known=", ".join(_WRITERS))
    return _WRITERS[form](report, file, lang)


def as_text(report: Report, file: str, lang: catalogue.Language | None = None) -> str:
    """Conclusion, then faults, widest first, then what else is worth knowing; one a line."""
    lines = [f"gridmap: {file}: {_conclusion(report, lang)}"]
    lines += [f"  {_line(fault, lang)}" for fault in report.faults[:_MOST_LINES]]
    if len(report.faults) > _MOST_LINES:
        lines.append("  " + catalogue.text("validation.omitted", lang, count=f"{len(report.faults) - _MOST_LINES:,}"))
    lines += [catalogue.text("validation.remark", lang, message=remark.message(lang)) for remark in report.warnings]
    return "\n".join(map(_plain, lines)) + "\n"


def _plain(text: str) -> str:
    """Make it one line: names in files may hold line breaks and worse."""
    return _CONTROL.sub(" ", text)


def _conclusion(report: Report, lang: catalogue.Language | None) -> str:
    pieces = f"{report.pieces:,}"
    if report.verdict == "valid":
        if not report.areas:
            return catalogue.text("validation.valid_outline", lang, pieces=pieces)
        return catalogue.text("validation.valid", lang, pieces=pieces, areas=f"{report.areas:,}")
    counts = Counter(fault.kind for fault in report.faults)
    kinds = [
        catalogue.text("validation.count_of_kind", lang, kind=kind_name(kind, lang), count=f"{counts[kind]:,}")
        for kind in FaultKind
        if counts[kind]
    ]
    said = catalogue.text("validation.invalid_report", lang, kinds=", ".join(kinds), pieces=pieces)
    if report.closes_under_m is not None:
        key = "rounding_noise" if report.closes_under_m <= ROUNDING_NOISE_M else "closes_under"
        said += "; " + catalogue.text(f"validation.{key}", lang, width=metres(report.closes_under_m))
    return said


def kind_name(kind: FaultKind, lang: catalogue.Language | None = None) -> str:
    """Kind of a fault in words."""
    return catalogue.text(f"validation.kind_{kind}", lang)


def _line(fault: Fault, lang: catalogue.Language | None) -> str:
    return catalogue.text(
        "validation.line",
        lang,
        kind=kind_name(fault.kind, lang),
        lon=degrees(fault.lon),
        lat=degrees(fault.lat),
        message=fault.message(lang),
        area=metres(fault.area_m2),
    )


def as_json(report: Report, file: str, lang: catalogue.Language | None = None) -> str:
    """Return one object: ``verdict``, ``pieces``, ``areas``, ``faults``.

    Beside them stand ``holes``, ``closes_under_m``, ``warnings`` and ``file``. Each fault has ``kind``, ``lon``,
    ``lat``, ``area_m2``, ``width_m``, ``ids`` and ``message``.
    """
    content = {
        "verdict": report.verdict,
        "pieces": report.pieces,
        "areas": report.areas,
        "faults": [_fault_object(fault, lang) for fault in report.faults],
        "holes": report.holes,
        "closes_under_m": report.closes_under_m,
        "warnings": [
            {"kind": remark.kind, "message": remark.message(lang), "places": remark.places}
            for remark in report.warnings
        ],
        "file": file,
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"


def _fault_object(fault: Fault, lang: catalogue.Language | None) -> dict[str, Any]:
    return {
        "kind": str(fault.kind),
        "lon": fault.lon,
        "lat": fault.lat,
        "area_m2": fault.area_m2,
        "width_m": fault.width_m,
        "ids": list(fault.ids),
        "message": fault.message(lang),
    }


def as_junit(report: Report, file: str, lang: catalogue.Language | None = None) -> str:
    """Return a test suite with one failed test a fault, or one that passed."""
    failed = len(report.faults)
    counts = {"tests": str(max(failed, 1)), "failures": str(failed), "errors": "0", "skipped": "0"}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(f"gridmap validate {file}"), **counts, "time": "0"})
    for fault in report.faults:
        name = f"{kind_name(fault.kind, lang)} {degrees(fault.lon)}, {degrees(fault.lat)}"
        case = ElementTree.SubElement(suite, "testcase", {"classname": _xml(file), "name": _xml(name), "time": "0"})
        failure = ElementTree.SubElement(
            case, "failure", {"type": str(fault.kind), "message": _xml(fault.message(lang))}
        )
        failure.text = _xml(_line(fault, lang))
    if not report.faults:
        ElementTree.SubElement(
            suite, "testcase", {"classname": _xml(file), "name": _xml(_conclusion(report, lang)), "time": "0"}
        )
    out = ElementTree.SubElement(suite, "system-out")
    out.text = _xml("\n".join(remark.message(lang) for remark in report.warnings))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def as_sarif(report: Report, file: str, lang: catalogue.Language | None = None) -> str:
    """Return a SARIF 2.1.0 log: a result a fault, at the file; its place on the ground as logical location."""
    results: list[dict[str, Any]] = [
        {
            "ruleId": str(fault.kind),
            "level": "error",
            "message": {"text": _line(fault, lang)},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": {"startLine": 1}},
                    "logicalLocations": [{"name": name, "kind": "feature"} for name in fault.ids],
                }
            ],
            "partialFingerprints": {"place/v1": f"{fault.kind}:{fault.lon:.6f}:{fault.lat:.6f}"},
            "properties": _fault_object(fault, lang),
        }
        for fault in report.faults
    ]
    results += [
        {
            "ruleId": remark.kind,
            "level": "note",
            "message": {"text": remark.message(lang)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file)}}}],
        }
        for remark in report.warnings
    ]
    rules = [{"id": str(kind), "shortDescription": {"text": kind_name(kind, lang)}} for kind in FaultKind]
    rules += [{"id": kind} for kind in ("unnoded", "holes", "cut_points")]
    run = {
        "tool": {"driver": {"name": "gridmap", "rules": rules}},
        "results": results,
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return orjson.dumps(log, option=orjson.OPT_INDENT_2).decode() + "\n"


def _uri(file: str) -> str:
    return quote(file.replace("\\", "/"), safe="/:")


def as_github(report: Report, file: str, lang: catalogue.Language | None = None) -> str:
    """Return workflow commands that annotate the file: an error a fault, a notice a remark."""
    lines = []
    for fault in report.faults[:_MOST_LINES]:
        title = f"{kind_name(fault.kind, lang)} {metres(fault.width_m)} m"
        lines.append(f"::error file={_property(file)},title={_property(title)}::{_data(_line(fault, lang))}")
    if len(report.faults) > _MOST_LINES:
        omitted = catalogue.text("validation.omitted", lang, count=f"{len(report.faults) - _MOST_LINES:,}")
        lines.append(f"::error file={_property(file)}::{omitted}")
    for remark in report.warnings:
        lines.append(f"::notice file={_property(file)},title={remark.kind}::{_data(remark.message(lang))}")
    # Plain text after the annotations: the conclusion, for those who read the log.
    lines.append(f"gridmap: {_plain(file)}: {_conclusion(report, lang)}")
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    return _plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def fix_summary(fixed: FixedPartition, lang: catalogue.Language | None = None) -> str:
    """Return one line: how much was mended, what is left, what moved how far."""
    moved = fixed.shift_m > 0
    return catalogue.text(
        "validation.fixed",
        lang,
        fixed=f"{max(len(fixed.before.faults) - len(fixed.after.faults), 0):,}",
        left=f"{len(fixed.after.faults):,}",
        pieces=f"{int(moved.sum()):,}",
        shift=metres(float(fixed.shift_m.max(initial=0.0))),
    )


_WRITERS: dict[str, Callable[[Report, str, catalogue.Language | None], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "github": as_github,
}
