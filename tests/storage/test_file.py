import ast
import hashlib
import io
import json
import math
import os
import re
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import refcompress
from refcompress import nn, storage
from refcompress.compress import Scheme, quantize_model
from refcompress.storage import CompressedModel, NodeRecord, QuantizedTensor, atomic
from tests.oracles import ledger as ledger_oracle
from tests.oracles import packing as packing_oracle

MEMBERS = ["manifest", "shapes", "codes", "scales", "offsets"]
MEGABYTE = 2**20


# ---- models ----


def small():
    """The smallest file with a bit of everything: two quantized tensors, one of them in groups, and a float one."""
    scale, offset = np.array([0.5, 0.25], np.float32), np.array([-1, 2], np.float32)
    return CompressedModel(
        (NodeRecord("fc", "Linear", {}, ("input",)), NodeRecord("bn", "BatchNorm", {"epsilon": 0.5}, ("fc",))),
        (3,),
        {
            "fc.weight": QuantizedTensor(np.array([[0, 1, 7], [5, 2, 4]]), scale, offset, 3, 0, "uniform"),
            "fc.bias": QuantizedTensor(np.array([-4, 3]), scale[:1], 0 * offset[:1], 3, -4, "fixed-point"),
            "bn.weight": np.array([1.5, -2], np.float32),
            "bn.bias": np.array([0.25, 0], np.float32),
            "bn.running_mean": np.array([0.1, 3], np.float32),
            "bn.running_var": np.array([1, 1e-30], np.float32),
        },
        {"net": "by hand"},
    )


def every_tensor(dtype):
    """Every scheme, width, number of groups and several shapes, with random codes; no network."""
    rng, tensors = np.random.default_rng(3), {}
    offsets = {"uniform": lambda bits: 0, "fixed-point": lambda bits: -(2 ** (bits - 1)), "decimal": lambda bits: -1234}
    for scheme, code_offset in offsets.items():
        for bits in range(1, 17):
            for shape in ((5,), (3, 7), (4, 1, 2, 3)):
                for groups in (1, shape[0]):
                    codes = rng.integers(0, 2**bits, shape) + code_offset(bits)
                    scale = rng.uniform(1e-3, 1, groups).astype(dtype)
                    offset = rng.standard_normal(groups).astype(dtype)
                    name = f"n.{scheme}{bits}{shape}{groups}"
                    tensors[name] = QuantizedTensor(codes, scale, offset, bits, code_offset(bits), scheme)
    tensors["n.float"] = np.array([[0.0, -0.0, math.pi], [1e-40, -3e38, 0.1]], dtype)
    return CompressedModel((), None, tensors, {})


def every_layer(dtype=np.float32):
    rng = np.random.default_rng(4)

    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    return nn.Sequential(
        {
            "standardize": nn.Standardize(0.1, 0.3),
            "conv1": nn.Conv2d(draw(4, 2, 3, 2), draw(4), stride=(1, 2), padding=(2, 1), dilation=(2, 1)),
            "bn": nn.BatchNorm(draw(4), draw(4), draw(4), draw(4) ** 2, momentum=0.3, epsilon=0.01),
            "leaky": nn.LeakyReLU(0.2),
            "max": nn.MaxPool2d((2, 3), (1, 2), (1, 0)),
            "conv2": nn.Conv2d(draw(6, 2, 2, 2), None, groups=2),
            "sigmoid": nn.Sigmoid(),
            "average": nn.AveragePool2d((3, 1), None, (1, 0), count_include_pad=False),
            "tanh": nn.Tanh(),
            "conv3": nn.Conv2d(draw(6, 6, 3, 3), draw(6), padding=1, winograd=True),
            "gelu": nn.GELU(),
            "drop": nn.Dropout(0.3, np.random.default_rng(0)),
            "relu": nn.ReLU(),
            "global": nn.GlobalAveragePool2d(),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(draw(3, 6), draw(3)),
        },
        (2, 9, 10),
    )


# ---- an independent reader: zipfile, struct and json, written from the description of the layout ----


def npy(data):
    """(dtype, shape, contents) of an .npy file of version 1.0."""
    assert data[:8] == b"\x93NUMPY\x01\x00"
    (length,) = struct.unpack("<H", data[8:10])
    header = data[10 : 10 + length].decode("ascii")
    assert header.endswith("\n")
    fields = ast.literal_eval(header)
    assert fields["fortran_order"] is False
    assert len(fields["shape"]) == 1
    return fields["descr"], fields["shape"][0], data[10 + length :]


def independent(data):
    """The manifest, and name → (shape, codes or floats, scales, offsets) in Python's numbers; checks every checksum."""
    comment = hashlib.sha256(data[:-64]).hexdigest().encode()
    assert data[-64:] == comment
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.comment == comment
        assert archive.namelist() == [f"{name}.npy" for name in MEMBERS]
        assert {info.compress_type for info in archive.infolist()} == {0}
        arrays = {name: npy(archive.read(f"{name}.npy")) for name in MEMBERS}
    manifest = json.loads(arrays["manifest"][2].decode("utf-8"))
    size, letter = {"float32": (4, "f"), "float64": (8, "d")}[manifest["dtype"]]
    wanted = {"manifest": "|u1", "shapes": "<u4", "codes": "|u1", "scales": f"<f{size}", "offsets": f"<f{size}"}
    assert {name: array[0] for name, array in arrays.items()} == wanted
    rest = {name: array[2] for name, array in arrays.items()}
    assert {name: len(rest[name]) for name in MEMBERS} == {
        name: array[1] * int(wanted[name][2]) for name, array in arrays.items()
    }

    def take(name, count):
        piece, rest[name] = rest[name][:count], rest[name][count:]
        assert len(piece) == count
        return piece

    tensors = {}
    for entry in manifest["tensors"]:
        ndim, bits, groups = entry["ndim"], entry["bits"], entry["groups"]
        shape = struct.unpack(f"<{ndim}I", take("shapes", 4 * ndim))
        count = math.prod(shape)
        codes = take("codes", (count * bits + 7) // 8)
        scales, offsets = take("scales", groups * size), take("offsets", groups * size)
        assert hashlib.sha256(codes + scales + offsets).hexdigest() == entry["sha256"]
        if entry["scheme"] == "float":
            assert (bits, groups, entry["code_offset"]) == (8 * size, 0, 0)
            values = list(struct.unpack(f"<{count}{letter}", codes))
        else:
            values = [code + entry["code_offset"] for code in packing_oracle.unpack(list(codes), bits, count)]
        unpack = f"<{groups}{letter}"
        tensors[entry["name"]] = shape, values, struct.unpack(unpack, scales), struct.unpack(unpack, offsets)
    assert not any(rest[name] for name in MEMBERS[1:])
    return manifest, tensors


def check_round_trip(model, path):
    """Saved, then read by the package and by the independent reader: the same numbers, bit for bit."""
    storage.save(path, model)
    again = storage.read(path)
    assert again.nodes == tuple(
        NodeRecord(n.name, n.layer, json.loads(json.dumps(n.settings)), n.inputs) for n in model.nodes
    )
    assert again.input_shape == model.input_shape
    assert again.metadata == model.metadata
    assert list(again.tensors) == list(model.tensors)
    manifest, numbers = independent(path.read_bytes())
    assert (manifest["format"], manifest["version"]) == ("refcompress", 1)
    assert list(numbers) == list(model.tensors)
    for name, tensor in model.tensors.items():
        restored = again.tensors[name]
        shape, values, scales, offsets = numbers[name]
        if isinstance(tensor, np.ndarray):
            assert isinstance(restored, np.ndarray)
            assert restored.dtype == tensor.dtype
            assert restored.tobytes() == tensor.tobytes()
            assert shape == tensor.shape == restored.shape
            assert struct.pack(f"<{len(values)}d", *values) == tensor.astype("<f8").tobytes()
            continue
        for ours, theirs in ((restored.scale, scales), (restored.offset, offsets)):
            assert ours.dtype == tensor.scale.dtype
            assert tuple(ours.tolist()) == theirs
        assert tuple(tensor.scale.tolist()) == scales
        assert tuple(tensor.offset.tolist()) == offsets
        assert shape == tensor.codes.shape == restored.codes.shape
        assert values == tensor.codes.ravel().tolist() == restored.codes.ravel().tolist()
        fields = ("bits", "code_offset", "scheme", "groups")
        assert [getattr(restored, f) for f in fields] == [getattr(tensor, f) for f in fields]
        np.testing.assert_array_equal(restored.dequantize(), tensor.dequantize())


# ---- the round trip ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_scheme_width_and_number_of_groups(dtype, tmp_path):
    check_round_trip(every_tensor(dtype), tmp_path / "a.npz")


def test_the_small_file(tmp_path):
    check_round_trip(small(), tmp_path / "a.npz")
    network = storage.load(tmp_path / "a.npz")
    # weights 0.5·q − 1 and 0.25·q + 2, biases 0.5·q
    assert network.layers["fc"].parameters["weight"].tolist() == [[-1.0, -0.5, 2.5], [3.25, 2.5, 3.0]]
    assert network.layers["fc"].parameters["bias"].tolist() == [-2.0, 1.5]
    assert network.layers["bn"].settings == {"momentum": 0.1, "epsilon": 0.5}
    assert network.input_shape == (3,)


def plain(value):
    """Settings with pairs as tuples, which JSON makes lists."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in value.items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "scheme",
    [
        Scheme(),
        Scheme(bits=7, granularity="tensor", float_biases=True),
        Scheme("decimal"),
        Scheme("fixed-point", bits=9),
    ],
    ids=str,
)
def test_every_layer(scheme, dtype, tmp_path):
    path, model = tmp_path / "a.npz", every_layer(dtype)
    compressed = quantize_model(model, scheme, {"text": "täxt 剪枝", "number": 0.1, "yes": True, "none": None})
    check_round_trip(compressed, path)
    loaded, built = storage.load(path), compressed.network()
    assert loaded.input_shape == (2, 9, 10)
    for node, original in zip(loaded.nodes, model.nodes, strict=True):
        assert (node.name, type(node.layer), node.inputs) == (original.name, type(original.layer), original.inputs)
        assert plain(node.layer.settings) == original.layer.settings
        assert node.layer.buffers.keys() == original.layer.buffers.keys()
        for key, buffer in original.layer.buffers.items():
            np.testing.assert_array_equal(node.layer.buffers[key], buffer)
    x = np.random.default_rng(5).standard_normal((3, 2, 9, 10)).astype(dtype)
    out = loaded.forward(x)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, built.forward(x))
    storage.save(tmp_path / "b.npz", storage.read(path))
    assert (tmp_path / "b.npz").read_bytes() == path.read_bytes()


def winograd_file(path, winograd=True):
    rng = np.random.default_rng(8)
    arrays = rng.standard_normal((3, 2, 3, 3)).astype(np.float32), rng.standard_normal(3).astype(np.float32)
    model = nn.Sequential({"conv": nn.Conv2d(*arrays, padding=1, winograd=winograd)}, (2, 5, 6))
    storage.save(path, quantize_model(model))
    return rng.standard_normal((4, 2, 5, 6)).astype(np.float32)


@pytest.mark.parametrize("winograd", [True, False])
def test_the_way_of_a_convolution_is_stored(winograd, tmp_path):
    path = tmp_path / "a.npz"
    x = winograd_file(path, winograd)
    # the direct way is not mentioned, so that the file is what it was before there was another
    assert storage.read(path).nodes[0].settings.get("winograd") is (True if winograd else None)
    loaded = storage.load(path)
    assert loaded.layers["conv"].settings.get("winograd", False) is winograd
    other = loaded.layers["conv"].copy()
    other = nn.Conv2d(**other.parameters, **(other.settings | {"winograd": not winograd}))
    assert not np.array_equal(loaded.forward(x), other.forward(x))  # other bits: it is used
    np.testing.assert_allclose(loaded.forward(x), other.forward(x), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "settings", [{"stride": 2}, {"dilation": [2, 1]}, {"groups": 2}, {"winograd": 1}, {"winograd": "yes"}], ids=str
)
def test_a_file_whose_convolution_cannot_be_is_no_sound_file(settings, tmp_path):
    path = tmp_path / "a.npz"
    winograd_file(path)
    rewrite(path, lambda manifest, arrays: manifest["nodes"][0]["settings"].update(settings))
    with pytest.raises(ValueError, match=r"not a sound compressed file: winograd must be"):
        storage.load(path)


def test_settings_given_as_numpys_numbers(tmp_path):
    """They are kept as Python's floats, without another rounding."""
    f = np.float32
    model = nn.Sequential(
        {
            "standardize": nn.Standardize(f(0.1), f(0.3)),
            "bn": nn.BatchNorm(*np.ones((4, 2), f), momentum=f(0.3), epsilon=f(0.5)),
            "leaky": nn.LeakyReLU(f(0.2)),
            "drop": nn.Dropout(f(0.3)),
            "fc": nn.Linear(np.ones((3, 2), f)),
        },
        (2,),
    )
    check_round_trip(quantize_model(model), tmp_path / "a.npz")
    expected = {
        "standardize": {"mean": 0.10000000149011612, "std": 0.30000001192092896},
        "bn": {"momentum": 0.30000001192092896, "epsilon": 0.5},
        "leaky": {"slope": 0.20000000298023224},
        "drop": {"p": 0.30000001192092896},
        "fc": {},
    }
    for network in (model, storage.load(tmp_path / "a.npz")):
        assert {name: layer.settings for name, layer in network.layers.items()} == expected
        assert {type(v) for layer in network.layers.values() for v in layer.settings.values()} == {float}


def test_a_network_without_arrays(tmp_path):
    model = CompressedModel((NodeRecord("relu", "ReLU", {}, ("input",)),), None, {})
    check_round_trip(model, tmp_path / "a.npz")
    assert storage.load(tmp_path / "a.npz").forward(np.array([[-1.0, 2.0]])).tolist() == [[0.0, 2.0]]
    assert sum(storage.ledger(tmp_path / "a.npz").values()) == (tmp_path / "a.npz").stat().st_size


def test_branches(tmp_path):
    nodes = (
        NodeRecord("a", "ReLU", {}, ("input",)),
        NodeRecord("b", "Tanh", {}, ("input",)),
        NodeRecord("c", "Sigmoid", {}, ("a",)),
    )
    check_round_trip(CompressedModel(nodes, (2,), {}), tmp_path / "a.npz")
    assert [n.inputs for n in storage.load(tmp_path / "a.npz").nodes] == [("input",), ("input",), ("a",)]


def test_same_model_same_bytes_other_model_others(tmp_path):
    for name, model in (("a", small()), ("b", small()), ("c", every_tensor(np.float32))):
        storage.save(tmp_path / name, model)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_numpy_opens_it(tmp_path):
    storage.save(tmp_path / "a.npz", small())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert list(arrays) == MEMBERS
        assert {name: (arrays[name].dtype.str, arrays[name].ndim) for name in MEMBERS} == {
            "manifest": ("|u1", 1),
            "shapes": ("<u4", 1),
            "codes": ("|u1", 1),
            "scales": ("<f4", 1),
            "offsets": ("<f4", 1),
        }
        assert arrays["shapes"].tolist() == [2, 3, 2, 2, 2, 2, 2]
        # codes 0 1 7 5 2 4 of 3 bits: 000 100 111 | 101 010 001, least significant first; then 0 7
        assert arrays["codes"][:4].tolist() == [0b11001000, 0b00101011, 0b00000010, 0b00111000]
        assert arrays["scales"].tolist() == [0.5, 0.25, 0.5]
        assert arrays["offsets"].tolist() == [-1, 2, 0]
        assert json.loads(arrays["manifest"].tobytes())["tensors"][0]["groups"] == 2


def test_numpys_integers_are_stored_like_pythons(tmp_path):
    one = {"scale": np.ones(1), "offset": np.zeros(1), "scheme": "uniform"}
    for name, number in (("a", int), ("b", np.int64)):
        tensor = QuantizedTensor(np.array([-1, 2]), bits=number(2), code_offset=number(-1), **one)
        storage.save(tmp_path / name, CompressedModel((), (number(3),), {"n.w": tensor}, {}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---- the reader is tested, too ----


@pytest.mark.parametrize("change", ["bit order", "rounded scale", "code", "sign of zero"])
def test_a_planted_error_is_caught(change, tmp_path, monkeypatch):
    original, model = storage.file._to_bytes, small()
    if change == "bit order":
        pack = storage.file.packing.pack
        monkeypatch.setattr(
            storage.file.packing, "pack", lambda q, bits: np.packbits(np.unpackbits(pack(q, bits))[::-1])
        )
        wrong = model
    else:
        tensors = dict(model.tensors)
        if change == "rounded scale":
            t = tensors["fc.weight"]
            tensors["fc.weight"] = QuantizedTensor(
                t.codes, np.nextafter(t.scale, np.float32(1)), t.offset, 3, 0, "uniform"
            )
        elif change == "code":
            t = tensors["fc.weight"]
            tensors["fc.weight"] = QuantizedTensor(t.codes ^ 1, t.scale, t.offset, 3, 0, "uniform")
        else:
            tensors["bn.bias"] = -tensors["bn.bias"] * np.array([-1, 1], np.float32)
        wrong = CompressedModel(model.nodes, model.input_shape, tensors, model.metadata)
    monkeypatch.setattr(storage.file, "_to_bytes", lambda _: original(wrong))
    with pytest.raises((AssertionError, ValueError)):
        check_round_trip(model, tmp_path / "a.npz")


# ---- the ledger ----


def count_bytes(data, tensors):
    """Bytes by part, counted on the ZIP's and the .npy files' own headers."""
    size = {"f4": 4, "f8": 8}
    counted, container, position = {}, 0, 0
    for name in MEMBERS:
        assert data[position : position + 4] == b"PK\x03\x04"
        (length,) = struct.unpack("<I", data[position + 18 : position + 22])
        name_length, extra = struct.unpack("<HH", data[position + 26 : position + 30])
        begin = position + 30 + name_length + extra
        member = data[begin : begin + length]
        (header_length,) = struct.unpack("<H", member[8:10])
        header = member[10 : 10 + header_length]
        spaces = len(header) - len(header.rstrip(b"\n").rstrip(b" ")) - 1
        container += begin - position + 10 + header_length - spaces
        counted["padding"] = counted.get("padding", 0) + spaces
        counted[name] = length - 10 - header_length
        position = begin + length
    container += counted.pop("manifest")
    container += len(data) - position  # the central directory, its end, and the comment
    assert data[-86:-82] == b"PK\x05\x06"
    central = sum(46 + len(name) + len(".npy") for name in MEMBERS)
    assert len(data) - position == central + 22 + 64
    counted["container"], counted["payload"] = container, counted.pop("codes")
    width = size[np.result_type(*(t.scale if isinstance(t, QuantizedTensor) else t for t in tensors)).str[1:]]
    quantized = [t for t in tensors if isinstance(t, QuantizedTensor)]
    floats = [t for t in tensors if isinstance(t, np.ndarray)]
    assert counted["payload"] == sum(ledger_oracle.payload(t.codes.size, t.bits) for t in quantized) + sum(
        width * t.size for t in floats
    )
    assert counted["scales"] == counted["offsets"] == width * sum(len(t.scale) for t in quantized)
    assert counted["shapes"] == 4 * sum(np.ndim(t.codes if isinstance(t, QuantizedTensor) else t) for t in tensors)
    return counted


@pytest.mark.parametrize("name", ["small", "float32", "float64", "layers"])
def test_the_ledger(name, tmp_path):
    model = {
        "small": small,
        "float32": lambda: every_tensor(np.float32),
        "float64": lambda: every_tensor(np.float64),
        "layers": lambda: quantize_model(every_layer()),
    }[name]()
    path = tmp_path / "a.npz"
    storage.save(path, model)
    ledger = storage.ledger(path)
    assert list(ledger) == ["payload", "scales", "offsets", "shapes", "container", "padding"]
    assert sum(ledger.values()) == path.stat().st_size
    assert ledger == count_bytes(path.read_bytes(), list(model.tensors.values()))


def test_the_small_ledger_by_hand(tmp_path):
    storage.save(tmp_path / "a.npz", small())
    ledger = storage.ledger(tmp_path / "a.npz")
    # 6 codes of 3 bits, 2 codes of 3 bits, four times two float32
    assert ledger["payload"] == 3 + 1 + 32
    assert (ledger["scales"], ledger["offsets"], ledger["shapes"]) == (12, 12, 28)


# ---- damage ----


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "small.npz"
    storage.save(file, small())
    return file


def check_refused(path, readers=(storage.load, storage.read, storage.ledger), match=""):
    """Every reader raises ValueError, with a message that names the file."""
    for reader in readers:
        with pytest.raises(ValueError, match=f"{re.escape(str(path))}.*{match}"):
            reader(path)


def test_every_flipped_byte_is_noticed(path):
    data = path.read_bytes()
    assert len(data) < 4000
    with path.open("r+b", buffering=0) as file:
        for position, byte in enumerate(data):
            for changed in (byte ^ 1 << position % 8, byte ^ 0xFF, byte):
                file.seek(position)
                file.write(bytes([changed]))
                if changed != byte:
                    check_refused(path, (storage.load, storage.read))
    assert path.read_bytes() == data


def test_every_truncation_is_noticed(path):
    data = path.read_bytes()
    for length in reversed(range(len(data))):
        os.truncate(path, length)
        check_refused(path, (storage.load, storage.read))
    for start in (1, 4, 30, len(data) - 64):
        path.write_bytes(data[start:])
        check_refused(path)


@pytest.mark.parametrize("extra", [b"\0", b"\n", b"x" * 64, b"PK\x03\x04"])
def test_appended_bytes_are_noticed(extra, path):
    data = path.read_bytes()
    for changed in (data + extra, extra + data, data + data, data[:100] + extra + data[100:]):
        path.write_bytes(changed)
        check_refused(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"x" * 64, b"\0" * 1000, b"PK\x05\x06" + b"\0" * 18],
    ids=repr,
)
def test_other_files_are_refused(data, path):
    path.write_bytes(data)
    check_refused(path)


def test_an_ordinary_npz_of_the_same_arrays_is_refused(path):
    with np.load(path) as arrays:
        np.savez(path.with_name("again.npz"), **arrays)
    check_refused(path.with_name("again.npz"), match="checksum")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    check_refused(path, match="checksum")


def test_no_file_and_a_folder(tmp_path):
    for reader in (storage.load, storage.read, storage.ledger):
        with pytest.raises(FileNotFoundError):
            reader(tmp_path / "missing.npz")
        with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
            reader(tmp_path)


# ---- files with a right checksum around wrong contents ----


def sealed(data):
    """Give bytes that end in a comment of 64 characters their right checksum."""
    return data[:-64] + hashlib.sha256(data[:-64]).hexdigest().encode()


def archive_of(members, compression=zipfile.ZIP_STORED):
    """A sealed archive of (name, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of a doubled name
        for name, member in members:
            archive.writestr(zipfile.ZipInfo(name), member, compression)
        archive.comment = b"0" * 64
    return sealed(buffer.getvalue())


def array_file(array, allow_pickle=False):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def seal_tensors(manifest, arrays):
    """Give every tensor the right digest of what it declares, as far as that goes."""
    taken = dict.fromkeys(MEMBERS[1:], 0)
    raw = {name: arrays[name].tobytes() for name in MEMBERS[1:]}
    size = arrays["scales"].dtype.itemsize
    for entry in manifest["tensors"]:
        ndim = entry["ndim"]
        shape = arrays["shapes"][taken["shapes"] : taken["shapes"] + ndim].tolist()
        counts = {
            "codes": -(-math.prod(shape) * entry["bits"] // 8),
            "scales": size * entry["groups"],
            "offsets": size * entry["groups"],
        }
        digest = hashlib.sha256()
        for name, count in counts.items():
            digest.update(raw[name][taken[name] : taken[name] + count])
            taken[name] += count
        taken["shapes"] += ndim
        entry["sha256"] = digest.hexdigest()


def rewrite(path, change=lambda manifest, arrays: None, *, seal=True, text=None, members=lambda members: members):
    """Write the file again with changed contents, and with checksums that are right again."""
    with np.load(path) as opened:
        arrays = {name: opened[name].copy() for name in MEMBERS}
    manifest = json.loads(arrays.pop("manifest").tobytes())
    change(manifest, arrays)
    if seal:
        seal_tensors(manifest, arrays)
    if text is None:
        text = json.dumps(manifest, separators=(",", ":")).encode()
    files = [("manifest.npy", array_file(np.frombuffer(text, np.uint8)))]
    files += [(f"{name}.npy", array_file(arrays[name])) for name in MEMBERS[1:]]
    path.write_bytes(archive_of(members(files)))


def test_a_file_rewritten_without_a_change_is_the_same(path):
    """The helper itself: what it changes is what it is told to change."""
    before = path.read_bytes()
    rewrite(path)
    assert path.read_bytes() == before
    rewrite(path, lambda manifest, arrays: manifest["metadata"].update(net="another"))
    assert storage.read(path).metadata == {"net": "another"}
    storage.load(path)


def entry(index, **changes):
    return lambda manifest, arrays: manifest["tensors"][index].update(changes)


def manifest_with(**changes):
    return lambda manifest, arrays: manifest.update(changes)


def without(key, index=None):
    return lambda manifest, arrays: (manifest if index is None else manifest["tensors"][index]).pop(key)


def element(name, index, value):
    def change(manifest, arrays):
        arrays[name][index] = value

    return change


def array(name, function):
    def change(manifest, arrays):
        arrays[name] = function(arrays[name])

    return change


def doubled_tensor(manifest, arrays):
    manifest["tensors"].append(manifest["tensors"][-1])
    arrays["shapes"] = np.append(arrays["shapes"], arrays["shapes"][-1:])
    arrays["codes"] = np.append(arrays["codes"], arrays["codes"][-8:])


def one_dimension_less(manifest, arrays):
    """fc.bias as a tensor without axes: one code."""
    manifest["tensors"][1]["ndim"] = 0
    arrays["shapes"] = np.delete(arrays["shapes"], 2)
    arrays["codes"][3] &= 7


def empty_tensor(manifest, arrays):
    arrays["shapes"][2] = 0
    arrays["codes"] = np.delete(arrays["codes"], 3)


def floats_in_groups(manifest, arrays):
    """The layout says that floats have none."""
    manifest["tensors"][2]["groups"] = 1
    arrays["scales"], arrays["offsets"] = np.append(arrays["scales"], 1), np.append(arrays["offsets"], 0)
    arrays["scales"], arrays["offsets"] = arrays["scales"].astype("<f4"), arrays["offsets"].astype("<f4")


def last_scale_missing(manifest, arrays):
    """A tensor of codes without a scale."""
    manifest["tensors"][1]["groups"] = 0
    arrays["scales"], arrays["offsets"] = arrays["scales"][:2], arrays["offsets"][:2]


def float_in_codes(byte, value):
    """bn.weight's two floats begin at byte 4: 3 bytes of fc.weight and one of fc.bias come first."""

    def change(manifest, arrays):
        arrays["codes"][byte : byte + 4] = np.frombuffer(struct.pack("<f", value), np.uint8)

    return change


def test_the_place_of_the_floats(path):
    rewrite(path, float_in_codes(8, 6.5))
    assert storage.read(path).tensors["bn.weight"].tolist() == [1.5, 6.5]


HUGE = 2**31

# What `read` refuses, all of it under right checksums: change, part of the message
CONTENTS = {
    "altered code": (element("codes", 0, 1), False, "checksum"),
    "altered scale": (element("scales", 0, 1), False, "checksum"),
    "altered offset": (element("offsets", 0, 1), False, "checksum"),
    "altered float": (element("codes", 9, 77), False, "checksum"),
    "wrong digest": (entry(0, sha256="0" * 64), False, "checksum"),
    "digest of another tensor": (
        lambda m, a: m["tensors"][0].update(sha256=m["tensors"][1]["sha256"]),
        False,
        "checksum",
    ),
    "no digest": (without("sha256", 0), False, "sha256"),
    "sizes far over the file's": (lambda m, a: a["shapes"].__setitem__(slice(2), HUGE), False, "codes"),
    "a size just over the file's": (element("shapes", 6, 3), False, "codes"),
    "a size below the file's": (element("shapes", 6, 1), True, "codes"),
    "too many groups": (entry(0, groups=HUGE), False, "scales"),
    "more groups than rows": (lambda m, a: (entry(0, groups=3)(m, a), entry(1, groups=0)(m, a)), True, "scale"),
    "no groups": (last_scale_missing, True, "scale"),
    "floats in groups": (floats_in_groups, True, ""),
    "more dimensions than shapes": (entry(5, ndim=2), False, "shapes"),
    "fewer dimensions than shapes": (entry(5, ndim=33), False, "ndim"),
    "ndim 0": (one_dimension_less, True, "ndim"),
    "ndim negative": (entry(0, ndim=-1), False, "ndim"),
    "ndim no integer": (entry(0, ndim=2.0), False, "ndim"),
    "empty tensor": (empty_tensor, True, "codes"),
    "bits 0": (entry(0, bits=0), False, "bits"),
    "bits 17": (entry(0, bits=17), False, ""),
    "bits 65": (entry(0, bits=65), False, "bits"),
    "bits a string": (entry(0, bits="3"), False, "bits"),
    "bits true": (entry(0, bits=True), False, "bits"),
    "floats of half the width": (entry(2, bits=16), True, ""),
    "groups negative": (entry(0, groups=-1), False, "groups"),
    "code offset a float": (entry(0, code_offset=0.5), False, "code_offset"),
    "code offset beyond int64": (entry(0, code_offset=2**63), True, ""),
    "code offset that wraps around": (entry(0, code_offset=2**63 - 1), True, ""),
    "code offset far below": (entry(0, code_offset=-(2**70)), True, "code_offset"),
    "unknown scheme": (entry(0, scheme="ternary"), True, "scheme"),
    "a tensor as a list": (lambda m, a: m["tensors"].__setitem__(0, []), False, ""),
    "no tensors": (without("tensors"), False, "tensors"),
    "a doubled name": (doubled_tensor, True, "twice"),
    "a name as a list": (entry(0, name=["fc.weight"]), True, ""),
    "NaN scale": (element("scales", 0, np.nan), True, "scale"),
    "infinite scale": (element("scales", 1, np.inf), True, "scale"),
    "scale 0": (element("scales", 2, 0), True, "scale"),
    "scale −0": (element("scales", 2, -0.0), True, "scale"),
    "negative scale": (element("scales", 0, -1), True, "scale"),
    "NaN offset": (element("offsets", 0, np.nan), True, "offset"),
    "NaN in a float tensor": (float_in_codes(4, np.nan), True, "bn.weight must be finite"),
    "infinity in a float tensor": (float_in_codes(4, -np.inf), True, "bn.weight must be finite"),
    "NaN at the end of a float tensor": (float_in_codes(8, np.nan), True, "bn.weight must be finite"),
    "a spare bit": (element("codes", 3, 0b01111000), True, "unused bits"),
    "another spare bit": (element("codes", 2, 0b00000110), True, "unused bits"),
    "left-over shapes": (array("shapes", lambda a: np.append(a, a[:1])), False, "shapes"),
    "left-over codes": (array("codes", lambda a: np.append(a, a[:1])), False, "codes"),
    "left-over scales": (array("scales", lambda a: np.append(a, a[:1])), False, "scales"),
    "left-over offsets": (array("offsets", lambda a: np.append(a, a[:1])), False, "offsets"),
    "shapes of another dtype": (array("shapes", lambda a: a.astype("<i8")), False, "shapes"),
    "shapes of another byte order": (array("shapes", lambda a: a.astype(">u4")), False, "shapes"),
    "codes of another dtype": (array("codes", lambda a: a.astype("<u2")), False, "codes"),
    "signed codes": (array("codes", lambda a: a.view(np.int8)), False, "codes"),
    "scales of another dtype": (array("scales", lambda a: a.astype("<f8")), False, "scales"),
    "scales of another byte order": (array("scales", lambda a: a.astype(">f4")), False, "scales"),
    "integer offsets": (array("offsets", lambda a: a.astype("<i4")), False, "offsets"),
    "complex offsets": (array("offsets", lambda a: a.astype("<c8")), False, "offsets"),
    "two axes": (array("codes", lambda a: a.reshape(2, -1)), False, "codes"),
    "the other dtype": (manifest_with(dtype="float64"), False, "scales"),
    "half the dtype": (manifest_with(dtype="float16"), False, "dtype"),
    "no such dtype": (manifest_with(dtype="float33"), False, ""),
    "dtype object": (manifest_with(dtype="O"), False, "dtype"),
    "version 2": (manifest_with(version=2), False, "version"),
    "version 0": (manifest_with(version=0), False, "version"),
    "version a string": (manifest_with(version="1"), False, "version"),
    "no version": (without("version"), False, "version"),
    "another format": (manifest_with(format="else"), False, "version"),
    "no nodes": (without("nodes"), False, "nodes"),
    "a node without settings": (lambda m, a: m["nodes"][0].pop("settings"), False, "settings"),
    "no metadata": (without("metadata"), False, "metadata"),
    "input shape of 0": (manifest_with(input_shape=[0]), False, "input_shape"),
    "input shape of floats": (manifest_with(input_shape=[3.0]), False, "input_shape"),
    "input shape a string": (manifest_with(input_shape="3"), False, "input_shape"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_wrong_contents_under_right_checksums(name, path):
    change, seal, match = CONTENTS[name]
    rewrite(path, change, seal=seal)
    check_refused(path, match=match)


# What is only seen when the network is built
NETWORKS = {
    "unknown layer": lambda m, a: m["nodes"][0].update(layer="Conv3d"),
    "a layer of Python": lambda m, a: m["nodes"][0].update(layer="__import__"),
    "a layer as a list": lambda m, a: m["nodes"][0].update(layer=["Linear"]),
    "another layer": lambda m, a: m["nodes"][0].update(layer="Conv2d"),
    "a layer without these arrays": lambda m, a: m["nodes"][0].update(layer="ReLU"),
    "unknown settings": lambda m, a: m["nodes"][0].update(settings={"stride": 2}),
    "settings of another layer": lambda m, a: m["nodes"][1].update(settings={"slope": 0.1}),
    "settings as a list": lambda m, a: m["nodes"][0].update(settings=[1]),
    "settings that are an array": lambda m, a: m["nodes"][0].update(settings={"weight": [[1.0]]}),
    "an input that there is not": lambda m, a: m["nodes"][0].update(inputs=["nobody"]),
    "inputs as a string": lambda m, a: m["nodes"][0].update(inputs="input"),
    "a loop": lambda m, a: m["nodes"][0].update(inputs=["bn"]),
    "no input": lambda m, a: m["nodes"][0].update(inputs=[]),
    "doubled nodes": lambda m, a: m["nodes"][1].update(name="fc"),
    "a node called input": lambda m, a: m["nodes"][1].update(name="input"),
    "a node with a dot": lambda m, a: m["nodes"][1].update(name="b.n"),
    "a node with a number for a name": lambda m, a: m["nodes"][1].update(name=5),
    "no nodes": manifest_with(nodes=[]),
    "a tensor of an unknown node": entry(0, name="fc9.weight"),
    "a tensor without a node": entry(0, name="weight"),
    "a tensor with a number for a name": entry(0, name=5),
    "a tensor with null for a name": entry(0, name=None),
    "an unknown array": entry(1, name="fc.shift"),
    "a missing array": lambda m, a: m["nodes"].pop(1),
    "a bias of another shape": lambda m, a: (entry(0, name="fc.bias")(m, a), entry(1, name="fc.weight")(m, a)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_wrong_networks_under_right_checksums(name, path):
    rewrite(path, NETWORKS[name])
    check_refused(path, (storage.load,))


def swapped(members):
    return [members[1], members[0], *members[2:]]


def as_object(members):
    pickled = array_file(np.array([print, {}], dtype=object), allow_pickle=True)
    return [*members[:2], ("codes.npy", pickled), *members[3:]]


def header(text, payload=b""):
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + payload


def claim(descr, shape, payload=b"\0" * 8):
    """A codes.npy that declares what it does not hold."""

    def members(files):
        text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
        return [*files[:2], ("codes.npy", header(text, payload)), *files[3:]]

    return members


def member(index, function):
    def members(files):
        name, data = files[index]
        return [*files[:index], (name, function(data)), *files[index + 1 :]]

    return members


def retyped(descr, shape=None):
    """The same bytes as an array of another type or shape."""

    def change(data):
        contents = npy(data)[2]
        count = len(contents) // np.dtype(descr).itemsize
        text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape or (count,)}, }}".encode()
        return header(text, contents)

    return change


ARCHIVES = {
    "a missing member": lambda files: files[:-1],
    "an extra member": lambda files: [*files, ("extra.npy", files[-1][1])],
    "an extra file": lambda files: [*files, ("README", b"read me")],
    "a doubled member": lambda files: [*files, files[-1]],
    "another order": swapped,
    "another name": lambda files: [("Manifest.npy", files[0][1]), *files[1:]],
    "a path": lambda files: [("../manifest.npy", files[0][1]), *files[1:]],
    "nothing": lambda files: [],
    "a pickled array of objects": as_object,
    "a huge shape": claim("|u1", (2**40,)),
    "a huge product of shapes": claim("|u1", (HUGE, HUGE)),
    "a shape that overflows to what is there": claim("|u1", (2**33, 2**31, 1)),
    "a negative shape": claim("|u1", (-8,)),
    "two negative shapes": claim("|u1", (-2, -4)),
    "bytes of size 0": claim("|S0", (HUGE, HUGE), b""),
    "a void of size 0": claim("|V0", (HUGE,), b""),
    "a structured type": claim([("a", "|u1"), ("b", "|u1")], (4,)),
    "a shape of a string": claim("|u1", "'8'"),
    "a shape that calls": claim("|u1", "(print(),)"),
    "fortran order": member(2, lambda data: data.replace(b"'fortran_order': False", b"'fortran_order': 1    ")),
    "an .npy of version 2": member(2, lambda data: data[:6] + b"\x02" + data[7:]),
    "no .npy": member(2, lambda data: b"x" + data[1:]),
    "an empty member": member(2, lambda data: b""),
    "a header cut short": member(2, lambda data: data[:20]),
    "one byte more": member(2, lambda data: data + b"\0"),
    "one byte less": member(2, lambda data: data[:-1]),
    "a manifest of signed bytes": member(0, retyped("|i1")),
    "a manifest of truth values": member(0, retyped("|b1")),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_wrong_archives_under_right_checksums(name, path):
    rewrite(path, members=ARCHIVES[name])
    check_refused(path)


def test_a_manifest_of_two_axes(path):
    with np.load(path) as arrays:
        length = len(arrays["manifest"])
    rewrite(path, members=member(0, retyped("|u1", (1, length))))
    check_refused(path)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe{}",
        b'{"format":"refcompress\xff"}',
        b"\0",
        b'{"format":"refcompress","version":1' + b"0" * 5000 + b"}",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_wrong_manifests_under_right_checksums(text, path):
    rewrite(path, text=text)
    check_refused(path)


def test_a_manifest_that_is_not_utf8(path):
    with np.load(path) as arrays:
        text, before = arrays["manifest"].tobytes(), path.read_bytes()
    for encoded in (
        text.replace(b"by hand", b"by h\xe4nd"),
        text.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + text,
        text + b"\xff",
    ):
        path.write_bytes(before)
        rewrite(path, text=encoded)
        check_refused(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(compression, path):
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    path.write_bytes(archive_of(members, compression))
    check_refused(path, match="uncompressed")


def test_a_central_directory_that_lies(path):
    data = path.read_bytes()
    place = data.index(b"PK\x01\x02")
    for offset, value in ((24, 2**31), (24, 5), (16, 1), (8, 1), (42, 7), (42, 2**31)):
        # the size, the CRC, the flag of encryption, and the member's place
        changed = bytearray(data)
        if offset == 8:
            changed[place + 8] |= 1
        else:
            changed[place + offset : place + offset + 4] = struct.pack("<I", value)
        path.write_bytes(sealed(bytes(changed)))
        check_refused(path)


@pytest.mark.parametrize("name", ["shape", "header", "deflated", "directory", "nested", "groups"])
def test_bombs_do_not_blow_up(name, path):
    """Declared sizes of terabytes, or megabytes that were deflated to kilobytes: memory stays below 50 MB."""
    if name == "shape":
        rewrite(path, CONTENTS["sizes far over the file's"][0], seal=False)
    elif name == "groups":
        rewrite(path, CONTENTS["too many groups"][0], seal=False)
    elif name == "header":
        rewrite(path, members=ARCHIVES["a huge product of shapes"])
    elif name == "nested":
        rewrite(path, text=b"[" * MEGABYTE)
    elif name == "directory":
        data = bytearray(path.read_bytes())
        place = data.index(b"PK\x01\x02")
        data[place + 20 : place + 28] = struct.pack("<II", 2**31, 2**31)
        path.write_bytes(sealed(bytes(data)))
    else:
        zeros = array_file(np.zeros(60 * MEGABYTE, np.uint8))
        members = [(f"{part}.npy", zeros if part == "codes" else b"") for part in MEMBERS]
        path.write_bytes(archive_of(members, zipfile.ZIP_DEFLATED))
        assert path.stat().st_size < MEGABYTE
    tracemalloc.start()
    try:
        check_refused(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * MEGABYTE


# ---- saving ----


@pytest.mark.parametrize("existing", [True, False])
def test_an_interrupted_save_leaves_what_was_there(existing, tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    if existing:
        storage.save(path, small())
        before = path.read_bytes()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.save(path, every_tensor(np.float32))
    assert list(tmp_path.iterdir()) == ([path] if existing else [])
    if existing:
        assert path.read_bytes() == before
        storage.load(path)


def with_metadata(value):
    model = small()
    return CompressedModel(model.nodes, model.input_shape, model.tensors, {"value": value})


def with_tensor(tensor):
    model = small()
    return CompressedModel(model.nodes, model.input_shape, {**model.tensors, "bn.bias": tensor}, {})


@pytest.mark.parametrize(
    ("model", "error"),
    [
        (lambda: with_metadata(np.ones(2)), TypeError),
        (lambda: with_metadata({1, 2}), TypeError),
        (lambda: with_metadata(math.nan), ValueError),
        (lambda: with_metadata(math.inf), ValueError),
        (lambda: with_tensor(np.ones(2)), TypeError),  # float64 among float32
        (lambda: CompressedModel((), None, {"n.w": np.ones(2, np.float16)}, {}), TypeError),
        (lambda: CompressedModel((), None, {"n.w": np.ones(2, int)}, {}), TypeError),
    ],
)
def test_what_cannot_be_saved(model, error, path):
    before = path.read_bytes()
    with pytest.raises(error):
        storage.save(path, model())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_not_finite_cannot_be_saved(bad, path):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"bn\.bias must be finite, got -?(nan|inf) at index \(1,\)"):
        storage.save(path, with_tensor(np.array([1, bad], np.float32)))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_where_nothing_can_be_saved(tmp_path):
    with pytest.raises(FileNotFoundError):
        storage.save(tmp_path / "missing" / "a.npz", small())
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        storage.save(tmp_path, small())
    assert list(tmp_path.iterdir()) == []


# ---- nothing unpickles ----

UNPICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def unpickling(source):
    """Lines that import an unpickler, or ask NumPy to be one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        else:
            names = []
        if any(name.split(".")[0] in UNPICKLERS for name in names):
            found.append(node.lineno)
        allowed = isinstance(node, ast.keyword) and node.arg == "allow_pickle"
        if allowed and not (isinstance(node.value, ast.Constant) and node.value.value is False):
            found.append(node.value.lineno)
    return found


FILES = sorted(Path(refcompress.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FILES[0].parent)))
def test_nothing_unpickles(file):
    assert unpickling(file.read_text(encoding="utf-8")) == []


def test_unpickling_is_seen():
    assert len(FILES) > 40
    for source in (
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "def f():\n    import _pickle",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "import numpy as np\nnp.load('a', allow_pickle=flag)",
    ):
        assert unpickling(source), source
    assert unpickling("import numpy as np\nnp.load('a', allow_pickle=False)") == []
