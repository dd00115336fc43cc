"""The command line: parsing and printing, nothing else."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from refcompress import __version__


class _Parser(argparse.ArgumentParser):
    """Errors are one line, without the usage text; exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 2 for bad input, 130 for an interruption."""
    # Before NumPy is imported. On these small products a second BLAS thread gains little on an idle machine and costs
    # several times the time on a busy one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    args = _parser().parse_args(arguments)
    try:
        args.run(args)
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print(f"\n{args.prog}: interrupted", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
        print(f"{args.prog}: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


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
        print(report.recipe(options), end="\n\n", flush=True)
    result = compress(data, options, out=args.out, progress=choose())
    if args.json:
        print(json.dumps(result.to_json(), indent=2))
    else:
        tables = report.stage_table(result), report.layer_table(result), report.ledger_table(result.ledger)
        print("\n\n".join(tables), f"written: {result.path}", sep="\n\n")
    if args.report is not None:
        path = report.write_report(result, args.report)
        print(f"report: {path}", file=sys.stderr if args.json else sys.stdout)


def _inspect(args: argparse.Namespace) -> None:
    from refcompress import report, storage

    model = storage.read(args.file)
    model.network()  # says so where layers and tensors do not fit
    print(report.tensor_table(model), report.ledger_table(storage.ledger(args.file)), sep="\n\n")


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
        print(json.dumps({"accuracy": result.accuracy, "loss": result.loss}, indent=2))
    else:
        print(f"accuracy {100 * result.accuracy:.2f} % ({result.correct} of {result.total}), loss {result.loss:.4f}")


def _formulas(args: argparse.Namespace) -> None:
    from refcompress.report import formula_index

    if args.markdown:
        print(formula_index.markdown())
    elif args.formula is not None:
        print(formula_index.describe(args.formula))
    else:
        for entry in formula_index.entries():
            print(f"{entry.stem:22} {', '.join(entry.ids):15} {entry.title}")


def _conventions(args: argparse.Namespace) -> None:
    from refcompress.report import convention_index

    if args.preset is None:
        print(convention_index.table())
    elif args.other is None:
        print(convention_index.describe(args.preset))
    else:
        print(convention_index.compare(args.preset, args.other))


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
