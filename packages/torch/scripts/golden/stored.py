"""How the golden files store tensors: shape and row-major values, with the nine digits that tell float32 numbers apart."""

import json
from pathlib import Path

import torch

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


def values(tensor):
    flat = tensor.detach().flatten()
    if not flat.is_floating_point():
        return flat.tolist()
    return [shortest(value) for value in flat.double().tolist()]


def shortest(value):
    short = float(f"{value:.9g}")
    return int(short) if short.is_integer() else short


def stored(tensor):
    """A tensor for `toTensor` of src/testing/golden.ts; float32 where no dtype is named."""
    entry = {"shape": list(tensor.shape), "values": values(tensor)}
    if tensor.dtype in (torch.int64, torch.bool):
        entry["dtype"] = str(tensor.dtype).replace("torch.", "")
    return entry


def state(module):
    return {key: stored(value) for key, value in module.state_dict().items()}


def write(name, content):
    path = GOLDEN / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"torch": torch.__version__, **content}, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")
