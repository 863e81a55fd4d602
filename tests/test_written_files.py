"""What is written is a regular file: nothing that we write takes the place of a pipe, a device, or a link
that leads nowhere. (Devices are made nowhere here: a pipe and a socket stand for them.)"""

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether import verify
from noether.cli.commands import file_name
from noether.cli.main import call
from noether.system.files import check_writable, write_whole
from noether.system.usage import UsageError

SMALL = ["verify", "rayleigh", "--precision", "float64", "--jobs", "1"]
MUST = "must be a regular file, or a name that is free"


def bound(path: Path) -> None:
    """A socket at this path."""
    end = socket.socket(socket.AF_UNIX)
    end.bind(str(path))
    end.close()


PUT = {
    "a pipe": os.mkfifo,
    "a socket": bound,
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
    "a folder": Path.mkdir,
}
LINKED = {**PUT, "a link to a pipe": lambda path: os.mkfifo("pipe") or path.symlink_to("pipe")}
LINKED["a link to itself"] = lambda path: path.symlink_to(path.name)


def kept(path: Path):
    """What lies at a path, not what it leads to."""
    return stat.S_IFMT(path.lstat().st_mode), path.lstat().st_ino


@pytest.mark.parametrize("what", LINKED)
def test_no_file_takes_the_place_of_what_is_none(tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    path = Path("x")
    LINKED[what](path)
    before, names = kept(path), sorted(os.listdir())
    with pytest.raises(OSError, match=MUST):
        write_whole(path, "text")
    with pytest.raises(UsageError, match=f"--sarif x is a .*, {MUST}"):
        check_writable("--sarif", path)
    assert kept(path) == before and sorted(os.listdir()) == names and not Path("nowhere").exists()


def test_a_file_and_a_link_to_one_are_replaced_and_what_the_link_leads_to_stays(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", "text")
    write_whole(tmp_path / "new", "text")
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert texts == {"file": "precious", "link": "text", "new": "text"}


@pytest.mark.parametrize(
    "words",
    [
        ["report", "run", "--sarif", "x"],
        ["report", "run", "--badge", "x"],
        [*SMALL, "--sarif", "x"],
        [*SMALL, "--update-baseline", "--baseline", "x.json"],
        ["history", ".", "--page", "x"],
        ["history", "add", "run", "--to", "."],
        ["findings", "run", "--out", "x"],
        ["bench", "--quick", "--out", "x"],
    ],
)
@pytest.mark.parametrize("what", ["a pipe", "a link that leads nowhere"])
def test_each_command_that_writes_a_file_by_name_refuses(plan, capsys, monkeypatch, words, what):
    from noether.runs.saved_run import read_about

    assert call([*SMALL, "--out", "run"]) == 0
    name = next((w for w in words if w.startswith("x")), "")
    if not name:
        assert call(words) == 0
        (made,) = Path().glob(f"{read_about(Path('run'))['start'][:10]}*.json")
        made.unlink()
        name = made.name
    PUT[what](Path(name))
    before = kept(Path(name))
    capsys.readouterr()
    assert call(words) == 2
    err = capsys.readouterr().err
    assert f"{name}" in err and ("a pipe" in err if what == "a pipe" else what in err), err
    assert err.count("\n") == 1 and kept(Path(name)) == before and not Path("runs").exists(), "nothing ran"


@pytest.mark.parametrize("word, said", [("", "'' must be the name of a file"), ("-", "./- is a file of")])
def test_an_empty_name_and_a_dash_name_no_file(plan, capsys, word, said):
    assert call([*SMALL, "--out", "run"]) == 0
    for words in (["report", "run", "--sarif"], ["report", "run", "--badge"], ["history", ".", "--page"]):
        capsys.readouterr()
        assert call([*words, word]) == 2
        assert said in capsys.readouterr().err
    assert not Path("-").exists()
    assert call(["report", "run", "--badge", "./-"]) == 0 and Path("-").is_file()


@pytest.mark.parametrize("words", [["verify", "rayleigh"], ["faults"], ["fuzz"], ["merge", "run"]])
def test_an_empty_name_is_no_run_folder(plan, capsys, words):
    assert call([*words, "--out", ""]) == 2
    assert "'--out': '' must be the name of a folder" in capsys.readouterr().err
    assert not list(Path().iterdir()), "nothing is written here"


@given(st.text(min_size=2, max_size=20).filter(lambda x: "\0" not in x))
def test_every_other_word_is_a_file_name(word):
    assert file_name(word) == Path(word)


def test_python_refuses_an_empty_name_and_a_pipe(plan, tmp_path):
    pytest.importorskip("pyarrow")
    result = verify("rayleigh", precisions="float64", out=tmp_path / "run")
    with pytest.raises(UsageError, match="path is '', must be the name of a file"):
        result.to_parquet("")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=f"pipe cannot be written: it is a pipe, {MUST}"):
        result.to_parquet(tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    assert result.to_parquet() == tmp_path / "run" / "records.parquet"
