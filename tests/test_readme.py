"""README: its commands, its index of formulas and its Python are what was tested."""

import re
from pathlib import Path

import pytest

from refcompress.cli import main
from refcompress.report import formula_index
from refcompress.report.convention_index import pairs_markdown

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
    program = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "README.md", "exec"), {})
    dense, stored, answers, labels = re.fullmatch(
        r"dense ([\d.]+) %, stored ([\d.]+) %\n(\[[\d ]+\]) (\[[\d ]+\])\n", capsys.readouterr().out
    ).groups()
    assert float(dense) > 90
    assert float(stored) > 85
    assert len(answers.split()) == len(labels.split())
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 60_000


@pytest.mark.parametrize("line", re.findall(r"^\$ refcompress (.*)$", README, re.MULTILINE))
def test_what_the_kit_says_is_what_it_prints(line, tmp_path, monkeypatch, capsys):
    section = README.split("## Check your own implementation\n")[1]
    (tmp_path / "mine.py").write_text(re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    main(line.split())
    assert capsys.readouterr().out == section.split(f"$ refcompress {line}\n")[1].split("```")[0]


def test_the_table_of_pairs_is_current():
    table = README.split("<!-- pairs -->\n")[1].split("\n<!-- /pairs -->")[0]
    assert table == pairs_markdown(), "run: python -c with refcompress.report.convention_index.pairs_markdown"


def test_every_file_that_is_linked_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    for link in links:
        assert (Path(__file__).parent.parent / link).exists(), link
