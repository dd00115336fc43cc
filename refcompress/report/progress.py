"""Progress on standard error: a bar on a terminal, one line an epoch otherwise."""

import sys
from typing import Any

from refcompress.compress import Progress
from refcompress.nn import Epoch


class LineProgress(Progress):
    """One line an epoch."""

    def epoch(self, stage: str, epoch: Epoch, epochs: int) -> None:
        """Print the epoch's loss, accuracy on the training data and seconds."""
        accuracy = "" if epoch.accuracy is None else f"accuracy {100 * epoch.accuracy:6.2f} %, "
        print(
            f"{stage} epoch {epoch.number}/{epochs}: loss {epoch.loss:.4f}, {accuracy}{epoch.seconds:.1f} s",
            file=sys.stderr,
            flush=True,
        )


class BarProgress(Progress):
    """One bar a stage, with the last epoch's figures behind it."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None
        self._stage = ""

    def step(self, stage: str, step: int, steps: int) -> None:
        """Move the stage's bar to this iteration."""
        if self._bar is None or stage != self._stage:
            self._bar, self._stage = self._tqdm(total=steps, desc=stage, unit="it", file=sys.stderr), stage
        self._bar.update(step - self._bar.n)

    def epoch(self, stage: str, epoch: Epoch, epochs: int) -> None:
        """Show the epoch's figures behind the bar, and leave it there after the last."""
        if self._bar is not None:
            if epoch.accuracy is not None:
                self._bar.set_postfix(loss=f"{epoch.loss:.4f}", accuracy=f"{100 * epoch.accuracy:.2f} %")
            if epoch.number == epochs:
                self._bar.close()


def choose() -> Progress:
    """A bar where standard error is a terminal and tqdm is installed, else lines."""
    if sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ModuleNotFoundError:
            return LineProgress()
        return BarProgress(tqdm)
    return LineProgress()
