"""Every file that a case reads is told and must stay what it was, by whatever way it is read."""

import json
import sqlite3
import sys
import zipfile
from pathlib import Path

import pytest
from test_casefile_bytes import EVIL, LOW, case, here, lazy  # noqa: F401
from test_cli import GOOD_CASE

from noether.cli import main
from noether.plan.casefiles import load, trial_process
from noether.plan.casefiles.source import sha256
from noether.plan.choices import Request, select
from noether.system import processstate
from noether.system.usage import UsageError

READS = {
    "open": "LOW = float(open('data').read())",
    "beside": "import pathlib; LOW = float((pathlib.Path(__file__).parent / 'data').read_text())",
    "numpy": "import numpy as np; LOW = float(np.loadtxt('data'))",
    "mapped": "import numpy as np; LOW = float(bytes(np.memmap('data', mode='r')))",
    "by number": "import os; LOW = float(os.read(os.open('data', os.O_RDONLY), 9))",
    "bytes": "LOW = float(open(b'data').read())",
    "of its package": "import pkgutil; LOW = float(pkgutil.get_data(__package__, 'data'))",
    "resources": "from importlib import resources; LOW = float((resources.files(__package__) / "
    "'data').read_text())",
    "to be written": "LOW = float(open('data', 'r+').read())",
    "in a function": "def read():\n    with open('data') as file:\n        return float(file.read())\nLOW = "
    "read()",
    "run": "LOW = eval(compile(open('data').read(), 'data', 'eval'))",
}


@pytest.mark.parametrize("way", READS)
def test_a_file_is_seen_by_whatever_way_it_is_read(here, way):
    Path("data").write_text("0.5")
    Path("case.py").write_text(case(LOW, READS[way]))
    report = trial_process.tried("case.py")
    assert report.files == {str(Path(x).resolve()): sha256(Path(x).read_bytes()) for x in ("case.py", "data")}
    Path("data").write_text("0.7")
    with pytest.raises(UsageError, match="reads .*data, which has changed"):
        load.load("case.py", report)


def test_an_archive_of_modules_and_a_database_are_seen(here):
    with zipfile.ZipFile("modules.bin", "w") as archive:
        archive.writestr("helper_of_archive.py", "LOW = 0.5\n")
    base = sqlite3.connect("base")
    base.execute("create table t as select 0.5 as low")
    base.commit()
    base.close()
    read = "import sqlite3; LOW = sqlite3.connect('base').execute('select low from t').fetchone()[0]"
    for name, text in (
        ("modules.bin", "import sys; sys.path.insert(0, 'modules.bin'); from helper_of_archive import LOW"),
        ("base", read),
    ):
        Path("case.py").write_text(case(LOW, text))
        assert list(trial_process.tried("case.py").files) == [
            str(Path(x).resolve()) for x in (name, "case.py")
        ]


def test_a_link_that_is_turned_after_the_trial_is_seen(here):
    for folder, low in (("a", 0.5), ("b", 0.25)):
        Path(folder).mkdir()
        Path(folder, "helper.py").write_text(f"LOW = {low}\n")
        Path(folder, "data").write_text(str(low))
    for link, read in {
        "helper.py": "from helper import LOW",
        "data": READS["beside"],
        "folder": "LOW = float(open('folder/data').read())",
    }.items():
        target = "" if link == "folder" else f"/{link}"
        Path("case.py").write_text(case(LOW, read))
        Path(link).symlink_to(f"a{target}")
        report = trial_process.tried("case.py")
        Path(link).unlink()
        Path(link).symlink_to(f"b{target}")
        with pytest.raises(UsageError, match="has changed|did not read when it was tried"):
            load.load("case.py", report)
        Path(link).unlink()


def test_a_case_file_that_is_a_link_names_what_it_reads_where_it_lies(here):
    Path("there").mkdir()
    Path("there/helper.py").write_text("LOW = 0.5\n")
    Path("there/case.py").write_text(case(LOW, "from helper import LOW"))
    Path("link.py").symlink_to("there/case.py")
    select(Request(cases=("link.py",)))
    assert list(load.files(["link.py"])) == ["link.py", str(Path("there/helper.py").resolve())]


def test_what_a_case_writes_itself_is_no_input(here):
    text = "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f:\n    f.write('0.5'); f.flush()\n"
    text += "    LOW = float(open(f.name).read())"
    Path("case.py").write_text(case(LOW, text))
    assert select(Request(cases=("case.py",))).cases and list(load.files(["case.py"])) == ["case.py"]


def test_two_cases_of_one_file_are_of_one_module_and_travel(here, capsys):
    more = "\nfrom dataclasses import replace\nB = replace(OWN, name='second')\n"
    Path("case.py").write_text(GOOD_CASE + more)
    words = ["--law", "D0", "--rule", "gradient-descent", "--precision", "float64", "--backend", "numpy"]
    assert (
        main.call(["verify", "case.py:OWN", "case.py:B", *words, "--jobs", "2", "--json", "--out", "r"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["exit_code"] == 0


def test_nothing_that_a_case_prints_reaches_stdout(here, capfd):
    noise = (
        "import os, subprocess\nprint('one'); os.write(1, b'two\\n')\nsubprocess.run(['echo', 'three']); "
        "os.close(1)"
    )
    Path("case.py").write_text(
        case(lazy("LOW = 1.0; os.write(1, b'four\\n') if os.environ.get('X') else None"), noise)
    )
    assert main.call(["show", "case.py"]) == 0
    out, err = capfd.readouterr()
    assert not any(word in out for word in ("one", "two", "three")) and "own" in out
    assert all(word in err for word in ("one", "two", "three"))


MEDDLING = """
from noether.laws.exact import EXACT
from noether.cases.rules import RULES
from noether.cases.case import Case as C
EXACT.pop('D2')
del RULES['heavy-ball']
C.draw = lambda *x: 1 / 0
C.fresh = 1
"""


def test_a_case_that_changes_our_own_laws_changes_them_for_nobody(here):
    from noether.cases.case import Case
    from noether.cases.rules import RULES
    from noether.laws.exact import EXACT

    laws, rules, draw = dict(EXACT), dict(RULES), Case.draw
    before = processstate.capture(deep=True)
    Path("case.py").write_text(case(GOOD_CASE, MEDDLING))
    load.load_module(Path("case.py"))
    assert before.differences() == [] and (dict(EXACT), dict(RULES), Case.draw) == (laws, rules, draw)
    assert "fresh" not in vars(Case) and "noether.cases.case" in sys.modules


def test_a_file_that_is_none_is_one_line(here, tmp_path):
    import os

    os.mkfifo("pipe.py")
    Path("long.py").write_bytes(b"#" * (2**24 + 1))
    for word, told in {
        "pipe.py": "no regular file",
        "long.py": "must have at most 16777216",
        "a" * 300 + ".py": "too long",
        "/\0/case.py": "does not exist|null byte",  # as the version of python has it
    }.items():
        with pytest.raises(UsageError, match=told):
            select(Request(cases=(word,)))
    assert EVIL and tmp_path
