"""What a check of somebody's implementation found, as text: the verdict, the slip that explains it, and the call."""

import shlex
from textwrap import fill

from refcompress.conformance.checking.verdict import Failure, Report
from refcompress.conformance.suite import find_function, stems
from refcompress.formulas.quantization.conventions import PRESETS
from refcompress.report.repro import repro

__all__ = ["text", "usage"]

MOST_OTHERS = 5

PROTOCOL = """\
A command reads requests from standard input, one a line, and writes a line of answer for each, until its input ends:
  {"id": 1, "function": "packing.pack", "convention": "default",
   "arguments": {"q": {"dtype": "uint8", "shape": [2], "values": [1, 2]}, "bits": 4}}    (all on one line)
  {"id": 1, "results": [{"dtype": "uint8", "shape": [1], "values": [33]}]}
  {"id": 1, "error": "why there is no result"}
Floats have their bits beside "values": "hex": ["0x1.8000000000000p+0", "inf"]; an answer needs only one of the two.
A file for --outputs is an object: by each case's id a list of such results; `refcompress vectors` writes the cases.
Exit status: 0 conforms, 1 does not, 2 could not be checked."""

PRESET = "a preset in words: `refcompress conventions NAME`"


def text(report: Report, *, target: str | None = None, command: str | None = None) -> str:
    """Return the report of a check of "module:function" or of a command, or of results if there is neither."""
    head = f"{report.formula}, convention {report.convention}, version {report.suite.version} of the vectors"
    lines = [head, _vectors(report), _properties(report)]
    if report.shown is None:
        return "\n".join([*lines, "conforms"])
    lines.append(
        "does not conform"
        + (f": on these cases it cannot be told from: {_slips(report)}" if report.explanation else "")
    )
    if report.formula == "affine.quantize" and (target or command):
        called = target if target else f"--command {shlex.quote(command or '')}"
        lines.append(f"`refcompress diagnose {called}` says which convention it follows")
    lines += ["", *_failure(report, report.shown), "", repro(report, report.shown, target=target, command=command)]
    others = [f"{failure.name}: {failure.text}" for failure in report.failures if failure is not report.shown]
    if others:
        lines += ["", "also failing:", *others[:MOST_OTHERS]]
    if len(others) > MOST_OTHERS:
        lines.append(f"and {len(others) - MOST_OTHERS} more (--json has all)")
    return "\n".join(lines)


def usage(formula: str | None) -> str:
    """Return what a target of a formula must look like; without one, the formulas and the protocol of commands."""
    if formula is None:
        lines = [f"formulas: {', '.join(stems())}", "(`refcompress check --formula STEM --help` says what is called)"]
        return "\n".join([*lines, "", PROTOCOL, "", _definition("STEM"), PRESET])
    suite, function = find_function(formula)
    lines = [fill(f"{suite.stem}.{function.name}: {function.summary}", 100), "", function.signature(), ""]
    lines.append(fill(f"conventions: {', '.join(function.conventions)}", 100, subsequent_indent="  "))
    lines.append(f"functions: {', '.join(f'{suite.stem}.{name}' for name in suite.functions)}")
    lines.append(_definition(suite.stem))
    if set(function.conventions) <= set(PRESETS):
        lines.append(PRESET)
    return "\n".join(lines)


def _definition(stem: str) -> str:
    return f"definition: `refcompress formulas {stem}`"


def _vectors(report: Report) -> str:
    total, run = len(report.cases), report.run_cases
    unrun = f", {total - run} not run: a call hung" if run < total else ""
    return f"vectors     {run - report.failed_cases} of {total} pass{unrun}"


def _properties(report: Report) -> str:
    run = len(report.properties)
    if not run:
        return f"properties  not run: {report.not_run or 'there are none'}"
    passed = run - (len(report.failures) - report.failed_cases)
    rest = f"; the rest were not run: {report.not_run}" if report.not_run else ""
    return f"properties  {passed} of {run} pass, on up to {report.max_examples} inputs each{rest}"


def _slips(report: Report) -> str:
    return "; or ".join(f"{name} ({report.function.mutants[name]})" for name in report.explanation)


def _failure(report: Report, failure: Failure) -> list[str]:
    lines = [f"{failure.name}: {failure.text}"]
    if failure.case is not None:
        lines.append(f"made for: {'; '.join(failure.case.made_for)}")
        if failure.alike and not report.explanation:
            lines.append(f"this answer is that of: {'; '.join(failure.alike)}")
        elif failure.attempts[-1].result is not None and not report.explanation:
            lines.append("no known slip gives this answer")
    return lines
