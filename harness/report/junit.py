"""The file junit.xml: one suite a law, one test case for each case, rule, precision and symmetry.

Names are sentences (`rayleigh: heavy-ball, float32, scale`), class names are stable (`noether.D2.rayleigh`):
a dashboard follows a test by both, so neither holds a number that may change. Properties say with what it was
found. One failure a test case, for Jenkins keeps only one. What is violated and known is skipped, with its
reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as xml

from noether.report.remainder import unsaid
from noether.report.table import number
from noether.system.outside import lines
from noether.verdicts.known import GONE, Standing, excuse, of_about, proving
from noether.verdicts.record import HOLDS, VIOLATED, Record, undecided_faults

# XML 1.0 has no way to write the other control characters.
FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return FORBIDDEN.sub("?", lines(text))


def message(r: Record) -> str:
    """The message of a failure: what is, what should be, where."""
    numbers = f"measured {number(r.measured)}, predicted {number(r.predicted)}, bound {number(r.bound)}"
    what = f"{numbers}: spent {number(r.spent)}, must be at most 1"
    return clean(f"{r.law} on {r.case}{' ' + r.symmetry if r.symmetry else ''}: {r.reason}; {what}")


def details(r: Record) -> str:
    """The message, what explains it, and the line that runs it again."""
    return clean("\n".join(line for line in (message(r), unsaid(r), r.replay) if line))


def sentence(r: Record) -> str:
    """The name of a test case: case, rule, precision and symmetry."""
    backend = r.backend if r.law == "B1" else ""  # the one law whose subject is the backend
    return f"{r.case}: {', '.join(x for x in (r.rule, r.precision, r.symmetry or '', backend) if x)}"


def grouped(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    """The verdicts under each (law, sentence); suites in the order in which laws first appear."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for r in records:
        if not r.fault:
            groups.setdefault((r.law, sentence(r)), []).append(r)
    return groups


class Suites:
    """The XML document while it is built."""

    def __init__(self, titles: dict[str, str], properties: dict[str, str], start: str):
        self.root = xml.Element("testsuites", name="noether")
        self.titles, self.properties, self.start = titles, properties, start
        self.found: dict[str, xml.Element] = {}

    def case(self, suite: str, classname: str, name: str, seconds: float = 0.0) -> xml.Element:
        """A new test case of a suite, which is made with its first."""
        if suite not in self.found:
            title = f"{suite}: {self.titles[suite]}" if suite in self.titles else suite
            start = {"timestamp": self.start} if self.start else {}
            self.found[suite] = xml.SubElement(self.root, "testsuite", name=clean(title), **start)
            if self.properties:
                place = xml.SubElement(self.found[suite], "properties")
                for key, value in self.properties.items():
                    xml.SubElement(place, "property", name=clean(key), value=clean(value))
        given = dict(classname=clean(classname), name=clean(name), time=f"{seconds:.3f}")
        return xml.SubElement(self.found[suite], "testcase", **given)

    def text(self) -> str:
        """The document, with every sum that a reader may check."""
        tags = {"tests": "testcase", "failures": "failure", "skipped": "skipped", "errors": "error"}
        for element in (self.root, *self.found.values()):
            for name, tag in tags.items():
                element.set(name, str(len(element.findall(f".//{tag}"))))
            element.set("time", f"{sum(float(c.get('time')) for c in element.iter('testcase')):.3f}")
        xml.indent(self.root)
        return xml.tostring(self.root, encoding="unicode", xml_declaration=True) + "\n"


def facts(about: dict) -> dict[str, str]:
    """Properties of every suite: seed, backend, profile, versions. about: run.json, or {}."""
    given = about.get("arguments", {})
    out = {"seed": given.get("seed"), "profile": given.get("profile"), "backend": about.get("backend")}
    out |= {f"version of {k}": v for k, v in about.get("versions", {}).items()}
    return {k: str(v) for k, v in out.items() if v is not None}


def planted(suites: Suites, records: list[Record], known: list[Standing]) -> None:
    """A case for each planted fault, failed where it survived. known: what became of known violations."""
    shown = {r.fault for r in records if r.fault}
    seen = proving(records, known)
    killed = {r.fault for r in seen if r.fault and r.verdict == VIOLATED}
    undecided = {*undecided_faults(seen)}
    for fault in sorted(shown):
        element = suites.case("planted faults", "noether.laws.exact.shown_faults", f"{fault} is killed")
        if fault in undecided:
            told = "shown only where the right one is undecided too: that says nothing of it"
            xml.SubElement(element, "skipped", message=told)
        elif fault not in killed:
            told = clean(f"planted fault {fault!r} survived: some law must fail")
            xml.SubElement(element, "failure", type="survived", message=told)


def document(records: list[Record], errors: dict | None = None, *, titles=None, about=None) -> str:
    """The text of junit.xml. Planted faults that survived are failures of a suite of their own.

    errors  cell -> why it has no verdict
    titles  law -> what it states
    about   run.json
    """
    about = about or {}
    suites, known = (
        Suites(titles or {}, facts(about), str(about.get("start", "")).partition("+")[0]),
        of_about(about),
    )
    for (law, name), mine in grouped(records).items():
        element = suites.case(law, f"noether.{law}.{mine[0].case}", name, sum(r.seconds for r in mine))
        violated = [r for r in mine if r.verdict == VIOLATED]
        bad = [r for r in violated if excuse(r, known) is None]
        if violated and not bad:
            xml.SubElement(element, "skipped", message=clean(f"known: {excuse(violated[0], known).told}"))
        elif bad:
            failure = xml.SubElement(element, "failure", type="violated", message=message(bad[0]))
            failure.text = "\n".join(map(details, bad))
        elif not any(r.verdict == HOLDS for r in mine):
            xml.SubElement(element, "skipped", message=clean(f"{mine[0].verdict}: {mine[0].reason}"))
    planted(suites, records, known)
    for s in known:
        if s.status == GONE:
            case = suites.case("known violations", "noether.verdicts.known", f"{s.entry.place} is violated")
            xml.SubElement(case, "failure", type="gone", message=clean(s.line))
    for cell, error in (errors or {}).items():
        kind = "internal" if "Traceback" in error else "undecided"
        case, told = suites.case("cells", "noether.cells", cell), clean(error.strip().splitlines()[-1])
        xml.SubElement(case, "error", type=kind, message=told).text = clean(error)
    if "end" in about and about["end"] is None:
        case = suites.case("run", "noether.runs.run", "the run is finished")
        told = "the run is unfinished: what is missing is not decided"
        xml.SubElement(case, "error", type="unfinished", message=told)
    return suites.text()
