"""Writes golden/io/: small files as PyTorch and NumPy write them, for the tests of src/io.

Run with a Python that has torch (1.13 or newer) and NumPy: python3 scripts/golden/io.py
"""

import argparse
import collections
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch

OUTPUT = Path(__file__).resolve().parents[2] / "golden" / "io"
warnings.filterwarnings("ignore")


def every_dtype():
    names = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8".split()
    tensors = {name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name in names}
    return {**tensors, "bool": torch.tensor([True, False, True]), "empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5)}


def views():
    """Several tensors on one storage, with offsets and strides."""
    base = torch.arange(12.0)
    matrix = base.view(3, 4)
    return {"base": base, "transposed": matrix.t(), "column": matrix[:, 1], "tail": base[7:], "same": base,
            "expanded": torch.tensor([5.0]).expand(2, 3), "channels_last": torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last)}


def checkpoint():
    """A checkpoint as training scripts write them: weights, an optimiser's state, and objects of other classes."""
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    return {
        "epoch": 7, "best": 0.5, "name": "caf\u00e9", "done": True, "nothing": None, "big": 2**70, "negative": -(2**40),
        "state_dict": model.state_dict(), "optimizer": optimizer.state_dict(),
        "parameter": torch.nn.Parameter(torch.ones(2)), "size": torch.Size([2, 3]), "dtype": torch.float16,
        "device": torch.device("cpu"), "tuple": (1, (2, "x")), "set": {1, 2}, "bytes": b"\x00\xff",
        "counts": collections.defaultdict(list, {"a": [1]}),
        "numpy": {"scalar": np.float64(1.5), "integer": np.int64(-3), "flag": np.bool_(True),
                  "array": np.arange(6, dtype=np.float32).reshape(2, 3), "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
                  "big_endian": np.arange(3, dtype=">f4"), "text": np.array(["a", "b"])},
        "args": argparse.Namespace(lr=0.1, layers=[1, 2]),
        "complex": torch.ones(2, dtype=torch.complex64), "path": OUTPUT.__class__("a/b"), "scaler": [torch.cuda.amp.GradScaler],
    }


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)
        self.layers = torch.nn.ModuleList([torch.nn.Linear(width, width), torch.nn.Linear(width, width, bias=False)])
        self.gain = torch.nn.Parameter(torch.full((width,), 1.5))
        self.constant = torch.tensor([9.0])  # an attribute, not a buffer

    def forward(self, x):
        x = self.norm(x) * self.gain + self.constant
        for layer in self.layers:
            x = layer(x)
        return x


class Tower(torch.nn.Module):
    """Nested modules, a buffer, half precision: the outline of OpenAI's CLIP archives."""

    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.Sequential(Block(2), Block(2))
        self.stem = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1, bias=False), torch.nn.BatchNorm2d(2))
        self.projection = torch.nn.Parameter(torch.arange(4.0).view(2, 2))
        self.register_buffer("mask", torch.ones(2, 2).triu(1))
        self.logit_scale = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        x = self.stem(x).mean(dim=[2, 3])
        return self.blocks(x) @ self.projection * self.logit_scale.exp() + self.mask[0]


def torchscript():
    torch.manual_seed(4)
    model = Tower().eval()
    model.blocks.half()
    scripted = torch.jit.script(model)
    scripted.save(str(OUTPUT / "torchscript.pt"))
    weights = torch.jit.load(str(OUTPUT / "torchscript.pt")).state_dict()
    # The same weights once more, to compare with.
    torch.save(dict(weights), OUTPUT / "torchscript-weights.pth")


def arrays():
    values = {
        "f4": np.linspace(-1, 1, 6, dtype="<f4").reshape(2, 3), "f8_big": np.linspace(-1, 1, 6, dtype=">f8").reshape(2, 3),
        "i8_fortran": np.asfortranarray(np.arange(24).reshape(2, 3, 4)), "f2": np.arange(4, dtype="<f2"),
        "b1": np.array([True, False]), "u2": np.array([0, 1, 65535], dtype="<u2"), "u4_big": np.array([0, 2**32 - 1], dtype=">u4"),
        "scalar": np.array(2.5), "empty": np.zeros((0, 3)), "i1": np.array([-1, 5], dtype="i1"),
    }
    for name, value in values.items():
        np.save(OUTPUT / f"{name}.npy", value)
    with open(OUTPUT / "version2.npy", "wb") as file:
        np.lib.format.write_array(file, values["f4"], version=(2, 0))
    with open(OUTPUT / "version3.npy", "wb") as file:
        np.lib.format.write_array(file, values["f4"], version=(3, 0))
    np.save(OUTPUT / "text.npy", np.array(["a", "bc"]))
    np.save(OUTPUT / "records.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i2")]))
    np.save(OUTPUT / "objects.npy", np.array([{}, None], dtype=object))
    np.savez(OUTPUT / "stored.npz", weight=values["f4"], index=values["i8_fortran"])
    np.savez_compressed(OUTPUT / "compressed.npz", weight=values["f4"], index=values["i8_fortran"])


def zip64():
    """A checkpoint whose archive is written anew with zip64 fields everywhere."""
    source = OUTPUT / "views.pth"
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(OUTPUT / "zip64.pth", "w") as copy:
        for name in archive.namelist():
            with copy.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                entry.write(archive.read(name))


def main():
    OUTPUT.mkdir(parents=True, exist_ok=True)
    torch.save(every_dtype(), OUTPUT / "dtypes.pth")
    torch.save(every_dtype(), OUTPUT / "dtypes-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(views(), OUTPUT / "views.pth")
    torch.save(views(), OUTPUT / "views-legacy.pth", _use_new_zipfile_serialization=False)
    for protocol in (2, 3, 4, 5):
        torch.save(checkpoint(), OUTPUT / f"checkpoint-{protocol}.pth", pickle_protocol=protocol)
    torch.save(checkpoint(), OUTPUT / "checkpoint-legacy.pth", _use_new_zipfile_serialization=False)
    torch.manual_seed(5)
    block = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sequential(torch.nn.BatchNorm1d(2)))
    block.register_buffer("temporary", torch.ones(1), persistent=False)
    torch.save(block, OUTPUT / "whole-module.pth")
    torch.save(dict(block.state_dict()), OUTPUT / "whole-module-weights.pth")
    torchscript()
    arrays()
    zip64()


main()
