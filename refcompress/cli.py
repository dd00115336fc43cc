"""The command line: parsing and printing, nothing else."""

import argparse
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from refcompress import __version__


class _Parser(argparse.ArgumentParser):
    """Errors are one line, without the usage text; exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 for a failed check, 2 for bad input, 130 if interrupted."""
    # Before NumPy is imported. On these small products a second BLAS thread gains little on an idle machine and costs
    # several times the time on a busy one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    args = _parser().parse_args(arguments)
    with contextlib.suppress(ValueError):  # which it is in another than the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console without ≤ and x̂ shows their numbers
    try:
        return args.run(args) or 0
    except KeyboardInterrupt:
        print(f"\n{args.prog}: interrupted", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
        print(f"{args.prog}: error: {_one_line(error)}", file=sys.stderr)
        return 2


def _print(*texts: str) -> None:
    """Print, an empty line between texts. That the reader, such as head, has seen enough changes nothing else."""
    try:
        print(*texts, sep="\n\n", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _compress(args: argparse.Namespace) -> None:
    from refcompress import datasets, report, storage
    from refcompress.compress import Criterion, Options, Scheme, compress
    from refcompress.report.progress import choose

    criterion = Criterion(
        reduce=args.reduce,
        ddof=args.ddof,
        rule=args.rule,
        tau_mean=args.tau_mean,
        tau_std=args.tau_std,
        tau_relative_to=args.tau_relative_to,
        fraction=args.fraction,
    )
    scheme = Scheme(
        scheme=args.scheme,
        bits=args.bits,
        places=args.places,
        fraction_bits=args.fraction_bits,
        granularity=args.granularity,
        float_biases=args.float_biases,
    )
    options = Options(
        net=args.net,
        seed=args.seed,
        epochs=args.epochs,
        finetune_epochs=args.finetune_epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        momentum=args.momentum,
        augment=args.augment,
        winograd=args.winograd,
        record=args.record,
        criterion=criterion,
        scheme=scheme,
    )
    storage.check_writable(args.out)
    if args.report is not None:
        report.check_report(args.report)
    data = datasets.load(args.data, args.seed)
    if not args.json:
        _print(report.recipe(options) + "\n")
    result = compress(data, options, out=args.out, progress=choose())
    if args.json:
        _print(json.dumps(result.to_json(), indent=2))
    else:
        tables = report.stage_table(result), report.layer_table(result), report.ledger_table(result.ledger)
        _print(*tables, f"written: {result.path}")
    if args.report is not None:
        path = report.write_report(result, args.report)
        print(f"report: {path}", file=sys.stderr if args.json else sys.stdout)


def _inspect(args: argparse.Namespace) -> None:
    from refcompress import report, storage

    model = storage.read(args.file)
    model.network()  # says so where layers and tensors do not fit
    _print(report.tensor_table(model), report.ledger_table(storage.ledger(args.file)))


def _evaluate(args: argparse.Namespace) -> None:
    from refcompress import datasets, nn, storage
    from refcompress.compress import input_images
    from refcompress.formulas.checks import integer

    model = storage.read(args.file)
    network = model.network()
    if network.input_shape is None or len(network.input_shape) != 3:
        raise ValueError(f"{args.file} must hold a network for images, got input_shape {network.input_shape}")
    seed = integer("seed", model.metadata.get("seed", 0) if args.seed is None else args.seed, 0)
    data = datasets.load(args.data, seed)
    result = nn.evaluate(network, input_images(data.x_test, network.input_shape), data.y_test)
    if args.json:
        _print(json.dumps({"accuracy": result.accuracy, "loss": result.loss}, indent=2))
    else:
        _print(f"accuracy {100 * result.accuracy:.2f} % ({result.correct} of {result.total}), loss {result.loss:.4f}")


def _formulas(args: argparse.Namespace) -> None:
    from refcompress.report import formula_index

    if args.markdown:
        _print(formula_index.markdown())
    elif args.formula is not None:
        _print(formula_index.describe(args.formula))
    else:
        lines = (f"{entry.stem:22} {', '.join(entry.ids):15} {entry.title}" for entry in formula_index.entries())
        _print("\n".join(lines))


def _conventions(args: argparse.Namespace) -> None:
    from refcompress.report import convention_index

    if args.preset is None:
        _print(convention_index.table())
    elif args.other is None:
        _print(convention_index.describe(args.preset))
    else:
        _print(convention_index.compare(args.preset, args.other))


def _check(args: argparse.Namespace) -> int:
    from refcompress.conformance import cases, check
    from refcompress.conformance.checking.check import run_results
    from refcompress.conformance.targets.replies import read_results
    from refcompress.report import conformance_report

    if args.help:
        _print(args.parser.format_help().rstrip(), conformance_report.usage(args.formula))
        return 0
    if sum(given is not None for given in (args.target, args.command, args.outputs)) != 1:
        raise ValueError("there must be exactly one of TARGET, --command and --outputs")
    if args.formula is None:
        raise ValueError("--formula is missing; `refcompress check --help` lists the formulas")
    cases(args.formula, args.convention)  # is there such a thing at all?
    if args.outputs is not None:
        report = run_results(read_results(args.outputs), args.formula, args.convention)
    else:
        options = {"command": args.command, "max_examples": args.max_examples, "timeout": args.timeout}
        report = check(args.target, args.formula, args.convention, **options)
    if args.json:
        _print(json.dumps(report.to_json(), indent=2))
    else:
        _print(conformance_report.text(report, target=args.target, command=args.command))
    return 0 if report.conforms else 1


def _diagnose(args: argparse.Namespace) -> int:
    from refcompress.conformance import diagnose, diagnose_arrays
    from refcompress.conformance.diagnosis.arrays import read_arrays
    from refcompress.conformance.diagnosis.diagnose import code_range
    from refcompress.conformance.targets.errors import NotStarted, TargetError
    from refcompress.formulas.quantization.conventions import named
    from refcompress.report import diagnosis_report

    if sum(given is not None for given in (args.target, args.command, args.arrays)) != 1:
        raise ValueError("there must be exactly one of TARGET, --command and --arrays")
    named(args.against)  # is there such a preset at all?
    if args.arrays is not None:
        if args.codes is not None or args.zero_point is not None:
            raise ValueError("--codes and --zero-point are not for --arrays, which has its own")
        found = diagnose_arrays(**read_arrays(args.arrays))
    else:
        options = {"command": args.command, "zero_points": args.zero_point, "timeout": args.timeout}
        try:
            found = diagnose(args.target, *code_range(args.codes or "uint8"), **options)
        except NotStarted:
            raise
        except TargetError as error:  # it was started, and is no quantizer
            _print(json.dumps({"fits": False, "error": str(error)}, indent=2) if args.json else f"not known: {error}")
            return 1
    if args.json:
        _print(json.dumps(diagnosis_report.to_json(found, args.against), indent=2))
    else:
        _print(diagnosis_report.text(found, args.against))
    return 0 if found.fits else 1


def _vectors(args: argparse.Namespace) -> None:
    from pathlib import Path

    from refcompress.conformance import exports
    from refcompress.storage.atomic import write_beside

    if not args.out:
        raise ValueError("--out must be a folder, got nothing")
    contents = exports.files(args.format, args.formula, args.convention)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        write_beside(out / name, data)
    _print("\n".join(str(out / name) for name in contents))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="refcompress", description="Compress a neural network by the formulas, and check the result.")
    parser.add_argument("--version", action="version", version=f"refcompress {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    command = commands.add_parser("compress", help="train, prune, quantize, store and validate: the main job")
    command.set_defaults(run=_compress, prog=command.prog)
    _add_compress_options(command)

    command = commands.add_parser("inspect", help="the layers and the bytes of a compressed file")
    command.add_argument("file", metavar="FILE")
    command.set_defaults(run=_inspect, prog=command.prog)

    command = commands.add_parser("evaluate", help="accuracy and loss of a compressed file")
    command.add_argument("file", metavar="FILE")
    _add_data(command)
    command.add_argument("--seed", type=int, help="of the digits' split (default: the file's)")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=_evaluate, prog=command.prog)

    command = commands.add_parser("conventions", help="what libraries mean by quantization, by name")
    command.add_argument("preset", nargs="?", metavar="NAME", help="such as onnx")
    command.add_argument("other", nargs="?", metavar="OTHER", help="such as torch_quantize")
    command.set_defaults(run=_conventions, prog=command.prog)

    command = commands.add_parser("check", help="does your implementation compute a formula?", add_help=False)
    command.set_defaults(run=_check, prog=command.prog, parser=command)
    _add_check_options(command)

    command = commands.add_parser("diagnose", help="which convention of affine quantization does a black box follow?")
    command.set_defaults(run=_diagnose, prog=command.prog)
    _add_diagnose_options(command)

    command = commands.add_parser("vectors", help="the vectors as files for other languages")
    command.add_argument("--format", required=True, metavar="json|npz|c|readmemh")
    command.add_argument("--out", required=True, metavar="DIR")
    command.add_argument("--formula", metavar="STEM[.FUNCTION]", help="such as affine (default: all)")
    command.add_argument("--convention", metavar="NAME", help="such as onnx (default: all)")
    command.set_defaults(run=_vectors, prog=command.prog)

    command = commands.add_parser("formulas", help="the index of formulas, or one of them")
    command.add_argument("formula", nargs="?", metavar="ID|STEM", help="such as P3 or uniform")
    command.add_argument("--markdown", action="store_true", help="the index as README shows it")
    command.set_defaults(run=_formulas, prog=command.prog)
    return parser


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data",
        default="digits",
        metavar="SOURCE",
        help="digits (the embedded ones), a folder of IDX files, or an .npz with x_train, y_train, x_test, y_test",
    )


def _add_check_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("target", nargs="?", metavar="TARGET", help="module:function, from the current folder")
    command.add_argument("--command", metavar="COMMAND", help="or a program that answers requests line by line")
    command.add_argument("--outputs", metavar="FILE", help="or results of the vectors, as JSON")
    command.add_argument("--formula", metavar="STEM[.FUNCTION]", help="such as affine, or affine.dequantize")
    command.add_argument("--convention", metavar="NAME", help="such as onnx; where there is only one, that is it")
    command.add_argument(
        "--max-examples",
        type=int,
        default=100,
        metavar="N",
        help="inputs that each property is tried on, once the vectors pass; 0: vectors only (default %(default)s)",
    )
    command.add_argument(
        "--timeout",
        type=float,
        default=10,
        metavar="SECONDS",
        help="of a call, the first one too (default %(default)s); importing TARGET may take 60",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("-h", "--help", action="store_true", help="show this, and what --formula needs")


def _add_diagnose_options(command: argparse.ArgumentParser) -> None:
    command.epilog = (
        "exit status: 0 if a convention fits all codes; 1 if none does, or only numbers one by one, or one zero point "
        "while there are other codes at others, or if it hangs, crashes, changes an argument or returns no code; 2 if "
        "it cannot be started, or for a wrong argument"
    )
    command.add_argument(
        "target", nargs="?", metavar="TARGET", help="module:function, called with x, scale, zero_point, qmin, qmax"
    )
    command.add_argument("--command", metavar="COMMAND", help="or a program that answers requests line by line")
    command.add_argument("--arrays", metavar="FILE", help="or an .npz file of x, scale, zero_point, q (and qmin, qmax)")
    command.add_argument("--codes", metavar="TYPE", help="uint8 (the default), int8, int4 …, or --codes=LOW:HIGH")
    command.add_argument(
        "--zero-point", type=int, action="append", metavar="Z", help="the zero point, or one of those, that it takes"
    )
    command.add_argument(
        "--against", default="onnx", metavar="NAME", help="a preset to list differences from (default %(default)s)"
    )
    command.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="of a call (default %(default)s)")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _add_compress_options(command: argparse.ArgumentParser) -> None:
    from refcompress.compress.criterion import DEFAULT_FRACTION, LISTING_TAU, RELATIVE_TO
    from refcompress.compress.options import NETS, Options
    from refcompress.compress.quantize import GRANULARITIES
    from refcompress.formulas.pruning.reduction import REDUCTIONS
    from refcompress.formulas.pruning.stability import RULES
    from refcompress.storage.quantized_tensor import SCHEMES

    default = Options()
    _add_data(command)
    command.add_argument(
        "--seed", type=int, default=default.seed, help="of split, weights and order (default %(default)s)"
    )
    command.add_argument("--out", default="compressed.npz", metavar="FILE", help="default %(default)s")
    command.add_argument("--report", metavar="DIR", help="write tables and pictures as DIR/index.html")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of tables")

    group = command.add_argument_group("training")
    group.add_argument("--net", choices=NETS, default=default.net, help="default %(default)s")
    group.add_argument("--epochs", type=int, default=default.epochs, help="default %(default)s")
    group.add_argument("--finetune-epochs", type=int, default=default.finetune_epochs, help="default %(default)s")
    group.add_argument("--batch-size", type=int, default=default.batch_size, help="default %(default)s")
    group.add_argument("--learning-rate", type=float, default=default.learning_rate, help="default %(default)s")
    group.add_argument("--momentum", type=float, default=default.momentum, help="default %(default)s")
    group.add_argument("--no-augment", dest="augment", action="store_false", help="train without random shifts")
    group.add_argument(
        "--winograd", action="store_true", help="faster 3×3 convolutions, a little less accurate; for --net listing"
    )

    group = command.add_argument_group("pruning")
    group.add_argument("--record", default=default.record, metavar="all|last:K|after:K", help="default %(default)s")
    group.add_argument("--reduce", choices=REDUCTIONS, help=f"default {REDUCTIONS[0]}; mean with --rule listing")
    group.add_argument("--ddof", type=int, choices=(0, 1), help="default 0; 1 with --rule listing")
    group.add_argument("--rule", choices=RULES, default=default.criterion.rule, help="default %(default)s")
    group.add_argument("--fraction", type=float, help=f"of every layer's neurons (default {DEFAULT_FRACTION})")
    group.add_argument("--tau-mean", type=float, help=f"threshold on the mean (--rule listing: default {LISTING_TAU})")
    group.add_argument("--tau-std", type=float, help=f"threshold on the std (--rule listing: default {LISTING_TAU})")
    group.add_argument("--tau-relative-to", choices=RELATIVE_TO, help="thresholds are multiples of it")

    group = command.add_argument_group("quantization")
    group.add_argument("--scheme", choices=SCHEMES, default=default.scheme.scheme, help="default %(default)s")
    group.add_argument("--bits", type=int, help="from 1 to 16, default 4; not for --scheme decimal")
    group.add_argument("--places", type=int, help="decimal places, default 2; for --scheme decimal only")
    group.add_argument(
        "--fraction-bits", type=int, help="for --scheme fixed-point only; default: the finest that saturates nothing"
    )
    group.add_argument("--granularity", choices=GRANULARITIES, help="one range per tensor or per channel (the default)")
    group.add_argument("--float-biases", action="store_true", help="keep biases as floats")


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename!r}"
    return " ".join(str(error).split())
