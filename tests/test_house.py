"""The architecture: imports point down, every formula has its places, oracles and vectors are independent."""

import ast
import pkgutil
import re
from pathlib import Path

import pytest

import refcompress
from refcompress import formulas
from refcompress.conformance.suite import suite
from refcompress.formulas.quantization.conventions import PRESETS

TOP = Path(__file__).parent.parent
PACKAGE = TOP / "refcompress"
LEVELS = {
    "formulas": 1,
    "nn": 2,
    "conformance": 2,
    "datasets": 2,
    "storage": 3,
    "compress": 4,
    "report": 5,
    "cli": 6,
    "__main__": 7,
}
QUANTIZATION = ("quantization", "quantization/ranges", "quantization/integer", "quantization/formats")
GROUPS = ("network", "pruning", *QUANTIZATION, "coding")
# of quantization: what formulas share, no formula of their own
SHARED = {"axes", "convention", "affine_steps", "ggml_bytes", "checks"}
STEMS = [
    (group, info.name)
    for group in GROUPS
    for info in pkgutil.iter_modules([str(Path(formulas.__file__).parent / group)])
    if not info.ispkg and info.name not in SHARED
]
FILES = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> str | None:
    """The room of a dotted module name, or None outside of the package and at its top."""
    parts = module.split(".")
    return parts[1] if parts[0] == "refcompress" and len(parts) > 1 else None


def imports(source: str) -> set[str]:
    """Dotted names of all that a source text imports, at its top or inside of functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this test can read them"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def upward_imports(own: str, source: str) -> set[str]:
    """What a file of room `own` imports from its own level or above, other than from its own room."""
    rooms = {name: room(name) for name in imports(source)}
    return {name for name, r in rooms.items() if r in LEVELS and r != own and LEVELS[r] >= LEVELS[own]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_imports_point_down(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        assert not {name for name in imports(path.read_text()) if room(name)}  # importing the package stays light
    else:
        assert not upward_imports(own, path.read_text())


def test_an_upward_import_is_seen():
    assert upward_imports("formulas", "def f():\n    from refcompress.nn import fit\n") == {"refcompress.nn.fit"}
    assert upward_imports("nn", "import refcompress.datasets") == {"refcompress.datasets"}
    assert upward_imports("nn", "from refcompress.formulas.network import relu") == set()
    assert upward_imports("storage", "from refcompress import compress") == {"refcompress.compress"}


ARITHMETIC = {"numpy", "scipy", "math", "fractions"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "formulas").rglob("*.py")), ids=lambda p: p.stem)
def test_formulas_import_only_arithmetic(path):
    allowed = {
        *ARITHMETIC,
        "bisect",
        "operator",
        "typing",
        "collections",
        "dataclasses",
        "types",
        "textwrap",
        "refcompress",
    }
    assert {name.split(".")[0] for name in imports(path.read_text())} <= allowed
    assert not re.search(r"np\.random\.(?!Generator)|default_rng|open\(|print\(", strip_docstrings(path.read_text()))


def strip_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def test_there_are_formulas_in_every_group():
    assert {group for group, _ in STEMS} == set(GROUPS)
    assert len({stem for _, stem in STEMS}) == len(STEMS)  # oracles and vectors are named by the stem alone


@pytest.mark.parametrize(("group", "stem"), STEMS)
def test_every_stem_has_its_places(group, stem):
    source = (PACKAGE / "formulas" / group / f"{stem}.py").read_text()
    assert (TOP / "tests" / "oracles" / f"{stem}.py").is_file()
    assert (TOP / "tests" / "formulas" / group / f"test_{stem}.py").is_file()
    assert f'"{stem}"' in (PACKAGE / "formulas" / group / "__init__.py").read_text()
    tutorial = re.search(r"^Tutorial: (\S+)$", source, re.MULTILINE)
    assert tutorial, "the module docstring names its tutorial"
    assert re.search(rf"\b{stem}\b", strip_comments((TOP / tutorial.group(1)).read_text())), "the tutorial runs it"


# names of readings, which have no arithmetic of their own: their cases are those of affine and qparams
WITHOUT_VECTORS = {"conventions"}


@pytest.mark.parametrize(("group", "stem"), [s for s in STEMS if s[0] != "network" and s[1] not in WITHOUT_VECTORS])
def test_every_stem_has_its_places_in_the_kit(group, stem):
    kit = PACKAGE / "conformance"
    assert (kit / "vectors" / f"{stem}.json").is_file()
    assert (kit / "properties" / f"{stem}.py").is_file()
    assert (TOP / "tests" / "vectors" / "stems" / f"{stem}.py").is_file()
    assert (TOP / "tests" / "conformance" / "planted" / f"{stem}.py").is_file()


def test_every_preset_has_cases():
    assert set(PRESETS) <= set(suite("affine").functions["quantize"].conventions)


# the format of the files, and what presets say of themselves; no arithmetic
VECTORS_TAKE = {"conformance.case", "conformance.comparison", "conformance.suite", "conformance.text", "report"}
VECTORS_TAKE |= {"formulas.quantization.conventions.PRESETS"}


@pytest.mark.parametrize("path", sorted((TOP / "tests" / "vectors").rglob("*.py")), ids=lambda p: p.stem)
def test_vectors_are_independent(path):
    own = {name.removeprefix("refcompress.") for name in imports(path.read_text()) if name.startswith("refcompress")}
    assert {name for name in own if not any(f"{name}.".startswith(f"{taken}.") for taken in VECTORS_TAKE)} == set()


def strip_comments(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("#"))


@pytest.mark.parametrize(("group", "stem"), STEMS)
def test_every_formula_is_documented_in_order(group, stem):
    tree = ast.parse((PACKAGE / "formulas" / group / f"{stem}.py").read_text())
    order = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
    assert public
    for function in public:
        text = ast.get_docstring(function) or ""
        sections = re.findall(r"^(\w+)\n-{3,}$", text, re.MULTILINE)
        if function.name in HELPERS.get(stem, ()):
            assert text
            continue
        assert sections == [name for name in order if name in sections], function.name
        assert {"Parameters", "Returns", "Examples"} <= set(sections), function.name


HELPERS = {"rounding": ("check",), "stability": ("moments",)}  # argument checks that a neighbour file shares


@pytest.mark.parametrize("path", sorted((TOP / "tests" / "oracles").glob("*.py")), ids=lambda p: p.stem)
def test_oracles_are_independent(path):
    assert {name.split(".")[0] for name in imports(path.read_text())} <= {
        "math",
        "fractions",
        "itertools",
        "numpy",
        "tests",
        "collections",
        "typing",
        "struct",
        "mpmath",
    }


def test_top_level_holds_only_what_it_should():
    names = {path.name for path in TOP.iterdir() if not path.name.startswith(".")}
    built = {"build", "dist", "compressed.npz"}
    assert names - built <= {"pyproject.toml", "refcompress", "tests", "tutorials", "README.md", "LICENSE"}


def test_the_rooms_are_reached_from_the_package():
    assert {refcompress.__getattr__(name).__name__ for name in refcompress.__all__} == {
        f"refcompress.{name}" for name in refcompress.__all__
    }
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        refcompress.nothing  # noqa: B018 - the access is what is tested
