"""The index of formulas: every stem with its ids and its places, read from the package itself."""

import importlib
import inspect
import pkgutil
import re
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from refcompress import formulas, nn
from refcompress.conformance.suite import stems

GROUPS = (
    "network",
    "pruning",
    "quantization",
    "quantization/ranges",
    "quantization/integer",
    "quantization/formats",
    "coding",
)
_ID = re.compile(r"\b[NPQ][1-4]\b")
_TUTORIAL = re.compile(r"^Tutorial: (\S+)$", re.MULTILINE)
_ID_IN_PARENTHESES = re.compile(r" \([^()]*\b[NPQ][1-4]\b[^()]*\)")


@dataclass(frozen=True)
class Entry:
    """One formula file.

    `stem` and `group` are its name and room, `title` its first line, `ids` the source's formulas in it, `functions` its
    public functions, and `tutorial` the one that derives it.
    """

    stem: str
    group: str
    title: str
    ids: tuple[str, ...]
    functions: dict[str, Any]
    tutorial: str

    def places(self) -> dict[str, str]:
        """Where it stands in a checkout, as paths from its top."""
        kit = "refcompress/conformance"
        has_vectors = self.stem in stems()
        if self.group == "nn":  # N2 is a composition, not a formula file
            formula, oracle, test = "refcompress/nn/network.py", "", "tests/nn/test_network.py"
        else:
            formula = f"refcompress/formulas/{self.group}/{self.stem}.py"
            oracle = f"tests/oracles/{self.stem}.py"
            test = f"tests/formulas/{self.group}/test_{self.stem}.py"
        places = {
            "formula": formula,
            "oracle": oracle,
            "test": test,
            "properties": f"{kit}/properties/{self.stem}.py" if has_vectors else "",
            "vectors": f"{kit}/vectors/{self.stem}.json" if has_vectors else "",
            "tutorial": self.tutorial,
        }
        return {kind: path for kind, path in places.items() if path}


def entries() -> list[Entry]:
    """All formula files, room by room in alphabetical order, with N2, the network, at the end of the first room."""
    found = []
    for group in GROUPS:
        package = importlib.import_module(f"{formulas.__name__}.{group.replace('/', '.')}")
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            if _TUTORIAL.search(module.__doc__ or ""):  # what formulas share has none
                found.append(_entry(module, info.name, group))
        if group == "network":
            found.append(_entry(nn.network, "network", "nn", {"Network": nn.Network}))
    return found


def find(word: str) -> list[Entry]:
    """Formula files by stem, or by an id such as P3 in either case; ValueError if there is none."""
    found = [entry for entry in entries() if word == entry.stem or word.upper() in entry.ids]
    if not found:
        known = entries()
        ids = sorted({i for entry in known for i in entry.ids})
        stems = ", ".join(entry.stem for entry in known)
        raise ValueError(f"formula must be an id ({', '.join(ids)}) or a stem ({stems}), got {word!r}")
    return found


def describe(word: str) -> str:
    """The docstrings that `word`, an id or a stem, stands for, and the places of the formula."""
    parts = []
    for entry in find(word):
        wanted = {
            name: f for name, f in entry.functions.items() if word == entry.stem or word.upper() in _ids(_first_line(f))
        }
        parts.append(f"{entry.stem}: {entry.title}")
        for name, function in wanted.items():
            parts.append(f"{name}{_arguments(function)}\n\n{textwrap.indent(inspect.getdoc(function) or '', '    ')}")
        parts.append("\n".join(f"{kind:>10}  {path}" for kind, path in entry.places().items()))
    return "\n\n".join(parts)


def markdown() -> str:
    """The index as the Markdown table that README shows."""
    rows = ["| formula | ids | what it is | tutorial |", "|---|---|---|---|"]
    for entry in entries():
        places = entry.places()
        tutorial = places["tutorial"].removeprefix("tutorials/")
        rows.append(
            f"| [`{entry.stem}`]({places['formula']}) | {', '.join(entry.ids)} | {entry.title} | "
            f"[{tutorial[:2]}]({places['tutorial']}) |"
        )
    return "\n".join(rows)


def _entry(module: ModuleType, stem: str, group: str, functions: dict[str, Any] | None = None) -> Entry:
    text = inspect.getdoc(module) or ""
    if functions is None:
        functions = {
            name: f
            for name, f in vars(module).items()
            if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_")
        }
    ids = sorted({i for f in functions.values() for i in _ids(_first_line(f))})
    tutorial = _TUTORIAL.search(text)
    title = _ID_IN_PARENTHESES.sub("", text.partition("\n")[0]).rstrip(".")
    return Entry(stem, group, title, tuple(ids), functions, tutorial.group(1) if tutorial else "")


def _arguments(function: Any) -> str:
    """The signature without types, which the docstring tells."""
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(bare))


def _first_line(function: Any) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _ids(line: str) -> list[str]:
    return _ID.findall(line)
