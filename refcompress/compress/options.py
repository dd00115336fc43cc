"""What can be chosen for the main job, checked before anything runs."""

from dataclasses import dataclass, field

from refcompress.compress.criterion import Criterion
from refcompress.compress.quantize import Scheme
from refcompress.formulas.checks import boolean, choice, integer, real

NETS = ("listing", "mlp", "lenet-300-100", "lenet-5")


@dataclass(frozen=True)
class Options:
    """The main job's settings: the network, its training, and how it is compressed.

    Parameters
    ----------
    net : one of NETS
    seed : int ≥ 0
        Of the split, the initial weights and the order of training; same seed, same bytes.
    epochs, finetune_epochs : int
        Of training (≥ 1) and of the training after removal (≥ 0).
    batch_size : int ≥ 1
    learning_rate : float > 0
        At the start; it falls to 0 along half a cosine, in both stages.
    momentum : float in [0, 1)
    augment : bool
        Shift training images by up to a sixteenth of their size (±2 of 32 pixels), at least 1 pixel.
    winograd : bool
        Compute listing's second convolution by formulas.network.winograd: faster, and a little less accurate.
    record : str
        Iterations that count: "all", "last:K", or "after:K" (all but the first K).
    criterion : Criterion
    scheme : Scheme

    Raises
    ------
    TypeError, ValueError
        If a value is out of range.
    """

    net: str = "listing"
    seed: int = 0
    epochs: int = 10
    finetune_epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 0.05
    momentum: float = 0.9
    augment: bool = True
    winograd: bool = False
    record: str = "all"
    criterion: Criterion = field(default_factory=Criterion)
    scheme: Scheme = field(default_factory=Scheme)

    def __post_init__(self) -> None:
        choice("net", self.net, NETS)
        for name, low in (("seed", 0), ("epochs", 1), ("finetune_epochs", 0), ("batch_size", 1)):
            object.__setattr__(self, name, integer(name, getattr(self, name), low))
        real("learning_rate", self.learning_rate, 0, float("inf"), open_low=True, open_high=True)
        real("momentum", self.momentum, 0, 1, open_high=True)
        boolean("augment", self.augment)
        if boolean("winograd", self.winograd) and self.net != "listing":
            raise ValueError(f"winograd must be False but for the net 'listing', got True for {self.net!r}")
        _parse_record(self.record)

    def first_recorded(self, steps: int) -> int:
        """Iterations to skip before the first that counts, of so many; ValueError unless enough are left."""
        kind, k = _parse_record(self.record)
        start = {"all": 0, "last": steps - k, "after": k}[kind]
        ddof = self.criterion.ddof or 0
        if start < 0 or steps - start <= ddof:
            raise ValueError(
                f"record must leave more than ddof = {ddof} of the {steps} iterations, got {self.record!r}"
            )
        return start


def _parse_record(record: str) -> tuple[str, int]:
    if not isinstance(record, str):
        raise TypeError(f"record must be all, last:K or after:K, got {record!r}")
    kind, colon, number = record.partition(":")
    if record != "all" and not (kind in ("last", "after") and colon and number.isascii() and number.isdigit()):
        raise ValueError(f"record must be all, last:K or after:K, got {record!r}")
    return kind, integer("record's K", int(number or 0), 1 if kind == "last" else 0)
