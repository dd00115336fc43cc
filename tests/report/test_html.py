"""The page: well-formed, complete in itself, escaped, and the same bytes every time."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import refcompress
from refcompress import report
from refcompress.compress import Criterion, Scheme

EMPTY = {"meta", "link", "br", "hr", "img", "input"}  # elements without an end tag
ATTRIBUTES_THAT_LOAD = {"src", "href", "xlink:href", "data", "action", "poster", "srcset"}


class Page(HTMLParser):
    """Reads a page and keeps its faults, its elements and its texts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.elements, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        self.faults += [f"id {name} stands twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
        for tag, attributes in self.elements:
            for name in ATTRIBUTES_THAT_LOAD & attributes.keys():
                if not attributes[name].startswith("#"):
                    self.faults.append(f"{tag} loads {attributes[name]}")

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.faults.append(f"{tag} is closed but not open")

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<p><b>x</p></b>", "p is closed but not open"),
        ("<div><p>x</p>", "div is not closed"),
        ('<p id="a"></p><p id="a"></p>', "id a stands twice"),
        ('<img src="https://example.org/x.png">', "img loads https://example.org/x.png"),
        ('<link href="style.css">', "link loads style.css"),
    ],
)
def test_the_reader_sees_faults(text, fault):
    assert fault in Page(text).faults


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"criterion": Criterion(rule="listing")},
        {"finetune_epochs": 0, "scheme": Scheme("decimal")},
        {"scheme": Scheme("fixed-point", float_biases=True)},
        {"net": "lenet-5", "epochs": 1},
    ],
    ids=["defaults", "listing", "decimal", "fixed point", "lenet-5"],
)
def test_the_page_is_sound(make, settings):
    text = report.report_html(make(**settings))
    page = Page(text)
    assert page.faults == []
    assert text.startswith("<!DOCTYPE html>\n")
    assert [page.count(tag) for tag in ("svg", "figure", "table", "h1", "script")] == [4, 4, 6, 1, 0]
    assert ("meta", {"charset": "utf-8"}) in page.elements
    assert any(attributes.get("name") == "viewport" for _, attributes in page.elements)
    for address in ("http", "@import", "url("):
        rest = [part.split('"')[0] for part in text.split(address)[1:]]
        allowed = ("://www.w3.org/2000/svg", "://www.w3.org/1999/xlink") if address == "http" else "#"
        assert all(part.startswith(allowed) for part in rest), (address, rest)


def test_the_tables_hold_what_the_terminal_shows(handmade):
    page = Page(report.report_html(handmade))
    cells = [text for tag, text in page.texts if tag in ("th", "td")]
    tables = [
        report.stage_table(handmade),
        report.layer_table(handmade),
        report.ledger_table(handmade.ledger),
        report.tensor_table(handmade.compressed).split("\n\n")[0],
    ]
    row_by_row = "".join("".join(cells).split())
    for line in "\n".join(tables).splitlines():
        assert "".join(line.split()) in row_by_row
    for line in report.recipe(handmade.options).splitlines():
        name, text = line.split("  ", 1)
        assert name in cells
        assert text.strip() in cells


def test_the_most_important_figures_stand_at_the_top(handmade):
    texts = [text for tag, text in Page(report.report_html(handmade)).texts if tag == "dd"]
    assert texts[:8] == [
        "90.00 % → 100.00 %",
        "18 → 20 of 20 images",
        "9,600 → 1,234",
        "the file is 7.8 times smaller",  # 9600 / 1234 = 7.78
        "24 → 12",
        "50.0 % are left",
        "1,020,000 → 10",
        "0.0 % are left",
    ]


def test_the_rule_is_explained(make):
    text, listing = report.report_html(make()), report.report_html(make(criterion=Criterion(rule="listing")))
    assert "takes no absolute values" in listing
    assert "takes no absolute values" not in text
    assert "in the shaded corner" in text
    assert "in the shaded corner" not in listing


def test_what_comes_from_outside_is_escaped(handmade):
    evil = '<script>alert("&")</script>'
    compressed = replace(handmade.compressed, metadata={evil: evil})
    text = report.report_html(replace(handmade, path=Path('a<&">b.npz'), compressed=compressed))
    page = Page(text)
    assert page.faults == []
    assert page.count("script") == 0
    assert "a&lt;&amp;&quot;&gt;b.npz" in text
    assert ("code", 'a<&">b.npz') in page.texts
    assert ("td", f"{evil} = {evil}") in page.texts


def test_a_sum_is_a_foot(handmade):
    text = report.report_html(handmade)
    feet = [part.split("</tfoot>")[0] for part in text.split("<tfoot>")[1:]]
    assert len(feet) == 2
    assert '<th scope="row" class="left">file</th><td>1,234</td><td>100.0 %</td>' in feet[0]


def test_write_report(make, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert report.write_report(make(), folder) == folder / "index.html"
    first = (folder / "index.html").read_bytes()
    assert first.decode() == report.report_html(make())
    report.write_report(make(seed=1), str(folder))
    assert (folder / "index.html").read_bytes() != first
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_another_process_writes_the_same_bytes(make, tmp_path):
    (tmp_path / "result").write_bytes(pickle.dumps(make()))
    program = (
        "import pathlib, pickle; from refcompress import report; "
        "report.write_report(pickle.loads(pathlib.Path('result').read_bytes()), 'other')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(refcompress.__file__).parent.parent)}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, env=environment, check=True, timeout=60
    )
    assert (tmp_path / "other" / "index.html").read_bytes() == report.report_html(make()).encode()


def test_check_report(tmp_path):
    report.check_report(tmp_path)
    report.check_report(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_check_report_sees_what_stands_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"^report must be a folder, got the file .*file'$"):
            report.check_report(folder)
    (tmp_path / "index.html").mkdir()
    with pytest.raises(ValueError, match=r"index\.html"):
        report.check_report(tmp_path)
    report.check_report(tmp_path / "new")


def test_check_report_without_matplotlib(handmade, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match="refcompress\\[viz\\]"):
        report.check_report(tmp_path)
    with pytest.raises(ModuleNotFoundError):
        report.write_report(handmade, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
