"""Other programs on the machine: two BLAS threads, of which one waits for a core, can take ten times as long."""

import os
import time
from pathlib import Path

STAT, SCHEDSTAT = Path("/proc/stat"), Path("/proc/self/schedstat")
TICK = 0.01  # seconds: what STAT counts in
NOTICEABLE_WORK, NOTICEABLE_WAIT = 0.1, 0.03  # of a core; of the time


def seconds() -> float:
    """Processor time that all other processes have used since the machine started; 0 where the system does not say."""
    try:
        line = STAT.read_text().splitlines()[0]  # cpu user nice system idle iowait irq softirq steal …
    except OSError:
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, line.split()[1:9])
    _, _, *children, _ = os.times()  # those that have ended
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK") - time.process_time() - sum(children)


def waited() -> float:
    """Seconds that our main thread could have run, had a core been free; 0 where the system does not say."""
    try:
        return int(SCHEDSTAT.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


class Watch:
    """Did other programs, since this was made, take a core that this many threads needed?

    Either they used more than what our threads leave free; or, where one core is free, our main thread had to wait all
    the same. Where our threads need all cores, they wait for each other too, which says nothing.
    """

    def __init__(self, threads: int) -> None:
        self.free = 0 if threads >= (os.cpu_count() or 1) else 1  # more of them would share the memory's bandwidth
        self.began, self.others, self.waited = time.perf_counter(), seconds(), waited()

    def disturbed(self) -> bool:
        """Was it noticeable?"""
        elapsed = time.perf_counter() - self.began
        crowded = seconds() - self.others > TICK + (self.free + NOTICEABLE_WORK) * elapsed
        return crowded or (self.free > 0 and waited() - self.waited > NOTICEABLE_WAIT * elapsed)


def wait_until_quiet(threads: int, at_most: float) -> None:
    """Wait until nobody disturbs for a fifth of a second."""
    end = time.perf_counter() + at_most
    disturbed = True
    while disturbed and time.perf_counter() < end:
        watch = Watch(threads)
        time.sleep(0.2)
        disturbed = watch.disturbed()
