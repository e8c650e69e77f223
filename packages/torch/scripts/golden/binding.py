"""Writes golden/binding/values.json: indexing, generators and mixed precision of PyTorch, for the tests of src.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/binding.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

OUTPUT = Path(__file__).resolve().parents[2] / "golden" / "binding" / "values.json"


def stored(x):
    x = x.detach()
    return {"shape": list(x.shape), "values": x.to(torch.float64).reshape(-1).tolist()}


def indexing():
    x = torch.arange(60.0).reshape(3, 4, 5)
    rows, columns = torch.tensor([2, 0]), torch.tensor([[1], [3]])
    mask = torch.arange(12).reshape(3, 4) % 5 == 0
    read = {
        "1": x[1],
        "-1,2": x[-1, 2],
        "1:,::2": x[1:, ::2],
        "...,-2:": x[..., -2:],
        "null,0,...,null": x[None, 0, ..., None],
        "rows": x[rows],
        "rows,:,columns": x[rows, :, columns],
        "1:,rows,columns": x[1:, rows, columns],
        "1,rows,columns": x[1, rows, columns],
        "mask": x[mask],
        "mask,1:3": x[mask][:, 1:3],
        "...,last": x[..., torch.tensor([True, False, True, False, False])],
        "zero-dimensional": x[torch.tensor(2), 1],
    }

    def written(change):
        y = x.clone()
        change(y)
        return y

    def set_(y, key, value):
        y[key] = value

    write = {
        "0,::2 = -1": written(lambda y: set_(y, (0, slice(None, None, 2)), -1)),
        "rows,1 = vector": written(lambda y: set_(y, (rows, 1), torch.arange(5.0) + 100)),
        "mask = 7": written(lambda y: set_(y, mask, 7)),
        "... = matrix": written(lambda y: set_(y, (...,), torch.arange(20.0).reshape(4, 5))),
    }
    return {
        "read": {name: stored(value) for name, value in read.items()},
        "write": {name: stored(value) for name, value in write.items()},
    }


def generators():
    g = torch.Generator().manual_seed(11)
    return {
        "randn": stored(torch.randn(5, generator=g)),
        "rand": stored(torch.rand(3, generator=g)),
        "randint": stored(torch.randint(2, 90, (4,), generator=g)),
        "randperm": stored(torch.randperm(6, generator=g)),
        "normal_": stored(torch.empty(3).normal_(1, 2, generator=g)),
        "unseeded": stored(torch.rand(2, generator=torch.Generator())),
    }


def mixed_precision():
    torch.manual_seed(5)
    x, w, k = torch.randn(4, 6), torch.randn(3, 6, requires_grad=True), torch.randn(2, 1, 3, 3)
    image = torch.randn(1, 1, 5, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = F.linear(x, w)
        convolved = F.conv2d(image, k)
        loss = F.mse_loss(y, torch.zeros(4, 3))
        with torch.autocast("cpu", enabled=False):
            full = F.linear(x, w)
    loss.backward()
    dtypes = [str(t.dtype)[6:] for t in (y, convolved, loss, full, w.grad)]
    names = ["x", "w", "k", "image", "y", "convolved", "loss", "full", "grad"]
    tensors = [x, w, k, image, y.float(), convolved.float(), loss, full, w.grad]
    return {"dtypes": dtypes, **{name: stored(value) for name, value in zip(names, tensors)}}


values = {"indexing": indexing(), "generators": generators(), "mixedPrecision": mixed_precision()}
OUTPUT.parent.mkdir(parents=True, exist_ok=True)
OUTPUT.write_text(json.dumps(values))
