"""What the vectors of the k-quants share: blocks of bytes, most of whose 256 weights are 0, and wrong readings."""

import numpy as np

from tests.vectors.specification import Function, Mutant, Stem

D = {0: 0x01, 1: 0x3C}  # float16 1 + 2^−10, little-endian


def at(place, field):
    """Bytes by their places from this one on."""
    return {place + i: byte for i, byte in field.items()}


def block(size, *fields, rest=None):
    """One block of these bytes; the others are as in rest, by the first place and the one after the last, or 0."""
    data = np.zeros((1, size), np.uint8)
    for (start, stop), byte in (rest or {}).items():
        data[:, start:stop] = byte
    for field in fields:
        for place, byte in field.items():
            data[0, place] = byte
    return data


def read(oracle, data):
    return {"x": np.array([weight for row in data.tolist() for weight in oracle.dequantize(row)], np.float32)}


def rounded(oracle):
    """Weights as float16 holds them."""

    def answer(convention, data):
        with np.errstate(over="ignore"):
            return {"x": read(oracle, data)["x"].astype(np.float16).astype(np.float32)}

    return answer


def misread(oracle, change):
    """The bytes are changed, and then read rightly."""
    return lambda convention, data: read(oracle, change(data))


def stem(name, oracle, data, changes):
    """A format's stem: data is the one block, changes are sentences and how wrong readers see its bytes, by name."""
    mutants = {key: Mutant(sentence, misread(oracle, change)) for key, (sentence, change) in changes.items()}
    mutants["weights of float16"] = Mutant("weights are rounded to float16", rounded(oracle))
    return Stem({
        "dequantize": Function(
            summary=f"weights of {name}, ggml's super-blocks of 256, exact and then rounded to float32 once",
            parameters={"data": f"(blocks, {oracle.SIZE}) uint8 array"},
            returns={"x": "(256·blocks,) float32 array"},
            candidates=lambda convention: [{"data": data}],
            expected=lambda convention, data: read(oracle, data),
            mutants=mutants,
            provenance=f"tests/oracles/{oracle.__name__.rpartition('.')[2]}.py, fractions, rounded to float32 once",
        )
    })  # fmt: skip
