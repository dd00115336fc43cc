"""Targets that pack codes, and targets that do anything else."""

import ctypes
import os
import subprocess
import sys
import time

import numpy as np

calls = 0


def pack(q, bits):
    number = sum(int(code) << bits * place for place, code in enumerate(q))
    return np.frombuffer(number.to_bytes(-(-len(q) * bits // 8), "little"), np.uint8)


def last_first(q, bits):
    return pack(q[::-1], bits)


def wide(q, bits):
    return pack(q, bits).astype(np.int64)


def as_row(q, bits):
    return pack(q, bits)[None]


def off_by_one(q, bits):
    return pack(q, bits) + np.uint8(1)


def two_results(q, bits):
    return pack(q, bits), len(q)


def talks(q, bits):
    print("packing", q)
    os.system("echo packing")
    assert sys.stdin.read() == ""
    return pack(q, bits)


def modifies(q, bits):
    data = pack(q, bits)
    q ^= 1
    return data


def changes_its_mind(q, bits):
    global calls
    calls += 1
    return pack(q, bits) + np.uint8(calls % 2)


def raises(q, bits):
    raise ValueError(f"cannot\npack {len(q)} codes")


def raises_nonsense(q, bits):
    class Nonsense(Exception):
        def __str__(self):
            raise self

    raise Nonsense


def sys_exits(q, bits):
    sys.exit(3)


def os_exits(q, bits):
    print("these are my last words", file=sys.stderr, flush=True)
    os._exit(4)


def crashes(*arguments):
    ctypes.string_at(0)


def hangs(q, bits):
    time.sleep(60)


def hangs_with_a_child(q, bits):
    subprocess.Popen(["sh", "-c", "sleep 0.7; touch survived"])
    time.sleep(60)


def of_many_fails(q, bits):
    if len(q) > 10:
        raise RuntimeError("too many")
    return pack(q, bits)


def of_many_crashes(q, bits):
    if len(q) > 10:
        os._exit(5)
    return pack(q, bits)


def of_many_hangs(q, bits):
    if len(q) > 10:
        time.sleep(60)
    return pack(q, bits)


def gives_none(q, bits):
    return None


def gives_text(q, bits):
    return np.str_("data")


def gives_list(q, bits):
    return pack(q, bits).tolist()


def gives_ragged_list(q, bits):
    return [[1], [2, 3]]


def gives_objects(q, bits):
    return np.array([[1], [2, 3]], object)


def gives_large_number(q, bits):
    return 10**5000


not_a_function = 3
