"""junit.xml: one test case for each law, case, rule and precision, as continuous integration reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as xml

from harness.table import number
from harness.verdicts import HOLDS, VIOLATED, Record

# XML 1.0 has no way to write the other control characters.
FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)


def message(r: Record) -> str:
    """What is, what should be, where."""
    what = f"measured {number(r.measured)}, predicted {number(r.predicted)}, bound {number(r.bound)}: spent {number(r.spent)}, must be at most 1"
    return clean(f"{r.law} on {r.case}{' ' + r.symmetry if r.symmetry else ''}: {r.reason}; {what}")


def grouped(records: Iterable[Record]) -> dict[tuple, list[Record]]:
    groups: dict[tuple, list[Record]] = {}
    for r in records:
        if not r.control:
            groups.setdefault((r.law, r.case, r.rule, r.precision), []).append(r)
    return groups


def document(records: list[Record], errors: dict[str, str] | None = None) -> str:
    """The text of junit.xml. Planted faults that survived are failures of a suite of their own."""
    root = xml.Element("testsuites", name="noether")
    suites: dict[str, xml.Element] = {}

    def case(suite: str, classname: str, name: str, seconds: float = 0.0) -> xml.Element:
        if suite not in suites:
            suites[suite] = xml.SubElement(root, "testsuite", name=suite)
        return xml.SubElement(suites[suite], "testcase", classname=clean(classname), name=clean(name), time=f"{seconds:.3f}")

    for (law, subject, rule, precision), mine in grouped(records).items():
        element = case(law, f"{law}.{subject}", f"{rule} {precision}", sum(r.seconds for r in mine))
        bad = [r for r in mine if r.verdict == VIOLATED]
        if bad:
            failure = xml.SubElement(element, "failure", type="violated", message=message(bad[0]))
            failure.text = "\n".join(f"{message(r)}\n{clean(r.replay or '')}" for r in bad)
        elif not any(r.verdict == HOLDS for r in mine):
            xml.SubElement(element, "skipped", message=clean(f"{mine[0].verdict}: {mine[0].reason}"))
    killed: dict[str, bool] = {}
    for r in records:
        if r.control:
            killed[r.control] = killed.get(r.control, False) or r.verdict == VIOLATED
    for control, dead in killed.items():
        element = case("controls", "controls", control)
        if not dead:
            xml.SubElement(element, "failure", type="survived", message=clean(f"planted fault {control!r} survived: some law must fail"))
    for cell, error in (errors or {}).items():
        xml.SubElement(case("cells", "cells", cell), "error", message=clean(error.strip().splitlines()[-1])).text = clean(error)
    for element in (root, *suites.values()):
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
            element.set(name, str(len(element.findall(f".//{tag}"))))
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
