"""README: its commands, its index of formulas and its Python are what was tested."""

import re
from pathlib import Path

from refcompress.report import formula_index

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_two_commands_stand_as_they_are():
    commands = re.findall(r"^python -m pip install .*$", README, re.MULTILINE)
    assert [re.sub(r" +# .*$", "", command) for command in commands[:2]] == [
        "python -m pip install '.[viz]' && refcompress compress",
        "python -m pip install '.[test]' && python -m pytest",
    ]


def test_the_formula_index_is_current():
    index = README.split("<!-- formulas -->\n")[1].split("\n<!-- /formulas -->")[0]
    assert index.strip() == formula_index.markdown(), "run: refcompress formulas --markdown"


def test_the_python_runs(tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "README.md", "exec"), {})
    dense, stored, answers, labels = re.fullmatch(
        r"dense ([\d.]+) %, stored ([\d.]+) %\n(\[[\d ]+\]) (\[[\d ]+\])\n", capsys.readouterr().out
    ).groups()
    assert float(dense) > 90
    assert float(stored) > 85
    assert len(answers.split()) == len(labels.split())
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 60_000


def test_every_file_that_is_linked_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    for link in links:
        assert (Path(__file__).parent.parent / link).exists(), link
