"""The compressed file: an ordinary .npz whose every byte is accounted for and checked.

Layout, version 1. A ZIP archive of stored (uncompressed) members, each a NumPy .npy array, in this order:

    manifest.npy   uint8     UTF-8 JSON, see below
    shapes.npy     uint32    the tensors' shapes, one after the other
    codes.npy      uint8     the tensors' packed codes, one after the other, each from a byte border
    scales.npy     float     the tensors' scales, one after the other   (little-endian, the manifest's "dtype")
    offsets.npy    float     the tensors' offsets, likewise

    manifest = {"format": "refcompress", "version": 1, "dtype": "float32" | "float64", "input_shape": [...] | null,
                "nodes":   [{"name", "layer", "settings": {...}, "inputs": [...]}, ...],
                "tensors": [{"name", "scheme", "bits", "groups", "code_offset", "ndim", "sha256"}, ...],
                "metadata": {...}}

Tensor by tensor: take `ndim` numbers of shapes (their product is n), ⌈n·bits/8⌉ bytes of codes and `groups` numbers
of scales and of offsets. Code k occupies bits k·bits … (k+1)·bits − 1 of its bytes, least significant first; q is that
code plus code_offset, and w′ = scale · q + offset, with entry i of scale for row i of the first axis where groups > 1.
Scheme "float" has no codes: its bytes are the numbers themselves, little-endian, in row-major order; groups is 0.
"sha256" is over the tensor's bytes of codes, then scales, then offsets. The archive's comment, its last 64 bytes, is
the SHA-256 in hexadecimal of all bytes before it.
"""

import contextlib
import hashlib
import io
import json
import math
import operator
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from refcompress.datasets import read_npy
from refcompress.formulas.checks import FLOATS, check_finite, choice, integer
from refcompress.formulas.coding import ledger as byte_ledger
from refcompress.formulas.coding import packing
from refcompress.nn import Network
from refcompress.storage.atomic import write_beside
from refcompress.storage.compressed_model import CompressedModel, NodeRecord
from refcompress.storage.quantized_tensor import QuantizedTensor

VERSION = 1
MEMBERS = ("manifest", "shapes", "codes", "scales", "offsets")
PARTS = ("payload", "scales", "offsets", "shapes", "container", "padding")
_DIGEST = 64  # hexadecimal digits of a SHA-256


def save(path: str | os.PathLike[str], model: CompressedModel) -> None:
    """Write a compressed model; the same model gives the same bytes.

    Parameters
    ----------
    path : path
        Written beside and renamed.
    model : CompressedModel

    Raises
    ------
    OSError
        If the file cannot be written.
    TypeError, ValueError
        If the model's arrays have different float dtypes, or its metadata is no JSON.
    """
    write_beside(path, _to_bytes(model))


def load(path: str | os.PathLike[str]) -> Network:
    """Read a compressed file as a network with dequantized weights.

    Parameters
    ----------
    path : path

    Returns
    -------
    Network

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If the file is damaged in any way, or no compressed file.
    """
    model = read(path)
    with _sound(path):
        return model.network()


def read(path: str | os.PathLike[str]) -> CompressedModel:
    """Read a compressed file as codes; the parameters and errors of `load`.

    Returns
    -------
    CompressedModel
    """
    data = Path(path).read_bytes()
    with _sound(path):
        return _from_bytes(data)


def ledger(path: str | os.PathLike[str]) -> dict[str, int]:
    """Count the bytes of a compressed file by what they are for; the sum is the file's size.

    payload: packed codes. scales, offsets, shapes: the numbers of these arrays. padding: spaces that align the .npy
    headers. container: everything else, the ZIP and .npy headers, the manifest and the checksum.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict of part → bytes, in the order of PARTS

    Raises
    ------
    OSError, ValueError
        As for `load`.
    """
    data = Path(path).read_bytes()
    with _sound(path):
        _from_bytes(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(f"{name}.npy") for name in MEMBERS}
    arrays = {name: _array(name, member) for name, member in members.items()}
    parts = {name: arrays[name].nbytes for name in ("scales", "offsets", "shapes")}
    parts["payload"] = arrays["codes"].nbytes
    headers = [member[: len(member) - arrays[name].nbytes] for name, member in members.items()]
    parts["padding"] = sum(len(header) - len(header.rstrip(b" \n")) - 1 for header in headers)  # the "\n" must be
    parts["container"] = len(data) - sum(parts.values())
    return {part: parts[part] for part in PARTS}


@contextlib.contextmanager
def _sound(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever the readers of a damaged file's parts raise into a ValueError that names the file."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is not a sound compressed file: {error}") from error


def _to_bytes(model: CompressedModel) -> bytes:
    dtypes = {(t.scale if isinstance(t, QuantizedTensor) else t).dtype for t in model.tensors.values()}
    dtype = dtypes.pop() if len(dtypes) == 1 else np.dtype(np.float32)
    if dtypes or dtype not in FLOATS:
        raise TypeError("tensors must all be float32 or all float64")
    little = dtype.newbyteorder("<")
    entries: list[dict[str, Any]] = []
    shapes: list[int] = []
    codes: list[np.ndarray] = []
    scales, offsets = [np.empty(0, little)], [np.empty(0, little)]
    for name, tensor in model.tensors.items():
        if isinstance(tensor, QuantizedTensor):
            packed = packing.pack(tensor.stored_codes(), tensor.bits)
            scale, offset, shape = tensor.scale.astype(little), tensor.offset.astype(little), tensor.codes.shape
            entry = {"scheme": tensor.scheme, "bits": tensor.bits, "code_offset": tensor.code_offset}
        else:
            check_finite(name, tensor)
            packed = np.frombuffer(tensor.astype(little).tobytes(), np.uint8)
            scale, offset, shape = scales[0], offsets[0], tensor.shape
            entry = {"scheme": "float", "bits": 8 * dtype.itemsize, "code_offset": 0}
        digest = _tensor_digest(packed, scale, offset)
        entries.append({"name": name, **entry, "groups": len(scale), "ndim": len(shape), "sha256": digest})
        shapes += shape
        codes.append(packed)
        scales.append(scale)
        offsets.append(offset)
    manifest = {
        "format": "refcompress",
        "version": VERSION,
        "dtype": dtype.name,
        "input_shape": model.input_shape,
        "nodes": [{"name": n.name, "layer": n.layer, "settings": n.settings, "inputs": n.inputs} for n in model.nodes],
        "tensors": entries,
        "metadata": model.metadata,
    }
    text = json.dumps(manifest, separators=(",", ":"), allow_nan=False, default=operator.index)  # NumPy's integers
    arrays = {
        "manifest": np.frombuffer(text.encode(), np.uint8),
        "shapes": np.array(shapes, "<u4"),
        "codes": np.concatenate([np.empty(0, np.uint8), *codes]),
        "scales": np.concatenate(scales),
        "offsets": np.concatenate(offsets),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())  # ZipInfo's date is always 1980-01-01
        archive.comment = b"0" * _DIGEST
    data = buffer.getvalue()[:-_DIGEST]
    return data + hashlib.sha256(data).hexdigest().encode()


def _from_bytes(data: bytes) -> CompressedModel:
    if data[:4] != b"PK\x03\x04":
        raise ValueError("it does not begin like an .npz file")
    if hashlib.sha256(data[:-_DIGEST]).hexdigest().encode() != data[-_DIGEST:]:
        raise ValueError(
            "its bytes do not have the checksum at its end: truncated, altered, or written by something else"
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        if [info.filename for info in infos] != [f"{name}.npy" for name in MEMBERS]:
            raise ValueError(f"it must hold {', '.join(MEMBERS)}, got {', '.join(i.filename for i in infos)}")
        if any(info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data) for info in infos):
            raise ValueError("its members must be stored uncompressed, none larger than the file")
        arrays = {name: _array(name, archive.read(info)) for name, info in zip(MEMBERS, infos, strict=True)}
    if arrays["manifest"].dtype != np.uint8 or arrays["manifest"].ndim != 1:
        raise ValueError(f"manifest must be uint8 of one dimension, got {arrays['manifest'].dtype}")
    manifest = json.loads(arrays["manifest"].tobytes().decode())
    if manifest["format"] != "refcompress" or integer("version", manifest["version"], 1) != VERSION:
        raise ValueError(f"it must be of version {VERSION}, got {manifest['format']!r} {manifest['version']!r}")
    dtype = np.dtype(choice("dtype", manifest["dtype"], ("float32", "float64")))
    if not isinstance(manifest["metadata"], dict):
        raise ValueError(f"metadata must be an object, got {manifest['metadata']!r}")
    wanted = {"shapes": np.dtype("<u4"), "codes": np.dtype("u1")}
    for name in MEMBERS[1:]:
        if arrays[name].dtype != wanted.get(name, dtype) or arrays[name].ndim != 1:
            raise ValueError(f"{name} has the wrong dtype or shape: {arrays[name].dtype}, {arrays[name].shape}")
    streams = {name: _Stream(name, arrays[name]) for name in MEMBERS[1:]}
    tensors = {entry["name"]: _tensor(entry, streams, dtype) for entry in manifest["tensors"]}
    if len(tensors) != len(manifest["tensors"]):
        raise ValueError("a tensor's name stands twice")
    for stream in streams.values():
        stream.check_empty()
    nodes = tuple(NodeRecord(n["name"], n["layer"], n["settings"], tuple(n["inputs"])) for n in manifest["nodes"])
    input_shape = manifest["input_shape"]
    shape = None if input_shape is None else tuple(integer("input_shape", n, 1) for n in input_shape)
    return CompressedModel(nodes, shape, tensors, manifest["metadata"])


def _tensor(entry: dict[str, Any], streams: dict[str, "_Stream"], dtype: np.dtype) -> QuantizedTensor | np.ndarray:
    shape = tuple(int(n) for n in streams["shapes"].take(integer("ndim", entry["ndim"], 1, 32)))
    count, bits = math.prod(shape), integer("bits", entry["bits"], 1, 64)
    groups, code_offset = integer("groups", entry["groups"], 0), integer("code_offset", entry["code_offset"], -(2**53))
    size = byte_ledger.entry(count, bits, groups, dtype.itemsize)
    packed = streams["codes"].take(size.payload)
    scale, offset = streams["scales"].take(groups), streams["offsets"].take(groups)
    if _tensor_digest(packed, scale, offset) != entry["sha256"]:
        raise ValueError(f"tensor {entry['name']!r} does not have its checksum")
    if entry["scheme"] == "float":
        if (bits, groups, code_offset) != (8 * dtype.itemsize, 0, 0):
            raise ValueError(
                f"tensor {entry['name']!r} must have {8 * dtype.itemsize} bits and no groups, as floats have"
            )
        numbers = np.frombuffer(packed.tobytes(), dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        check_finite(entry["name"], numbers)
        return numbers
    stored = packing.unpack(packed, bits, count).astype(np.int64).reshape(shape)
    scale, offset = scale.astype(dtype), offset.astype(dtype)
    return QuantizedTensor(stored + code_offset, scale, offset, bits, code_offset, entry["scheme"])


class _Stream:
    """An array that is taken piece by piece, never beyond its end."""

    def __init__(self, name: str, array: np.ndarray) -> None:
        self._name, self._array, self._taken = name, array, 0

    def take(self, count: int) -> np.ndarray:
        if count > len(self._array) - self._taken:
            raise ValueError(f"{self._name} ends early: {count} more are declared than it holds")
        self._taken += count
        return self._array[self._taken - count : self._taken]

    def check_empty(self) -> None:
        if self._taken != len(self._array):
            raise ValueError(f"{self._name} holds {len(self._array) - self._taken} more than is declared")


def _array(name: str, member: bytes) -> np.ndarray:
    return read_npy(name, io.BytesIO(member))


def _tensor_digest(packed: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> str:
    return hashlib.sha256(packed.tobytes() + scale.tobytes() + offset.tobytes()).hexdigest()
