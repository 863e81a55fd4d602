"""What docs/cluster.md shows is whole: its workflow, its commands and options, its python."""

import re
from pathlib import Path

import pytest
from test_ci_docs import named, parse, wrong_in
from test_crew import Cell

from noether.runs import executors

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "cluster.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found, f"docs/cluster.md shows no {language}: nothing was checked"
    return found


def test_the_workflow_is_whole_and_what_it_calls_exists():
    (text,) = blocks("yaml")
    found = parse(text)
    assert found["jobs"]["whole"]["needs"] == "part"
    commands = [c for c in named(text) if c.startswith("noether")]
    assert len(commands) == 2 and [w for c in commands for w in wrong_in(c)] == []


@pytest.mark.parametrize("command", re.findall(r"`(noether [a-z]+[^`]*)`", TEXT))
def test_every_command_in_the_prose_exists(command):
    assert wrong_in(command) == []


def test_the_job_for_slurm_calls_what_exists():
    (text,) = blocks("bash")
    command = re.search(r"srun (noether .*?)\n(?! )", text.replace("\\\n", " ") + "\n", re.DOTALL)[1]
    assert wrong_in(command.replace("$", "")) == []


def test_the_call_from_python_does_what_it_says(capsys):
    exec(compile(blocks("python")[0], "cluster.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "0"


def test_the_factory_of_the_page_is_an_executor(tmp_path, monkeypatch):
    from noether.runs.execute import execute

    (tmp_path / "my_cluster.py").write_text(blocks("python")[1])
    monkeypatch.syspath_prepend(tmp_path)
    (done,) = execute([Cell("a")], executor=executors.engine("my_cluster:make", 1))
    assert done.records


def test_each_engine_of_the_table_is_known():
    listed = set(re.findall(r"^\| `([a-z]+)(?::[A-Z]+)?`", TEXT, re.MULTILINE))
    assert listed - {"module"} == {"process", *executors.NAMED}
