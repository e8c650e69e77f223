"""Writes golden/clip/tiny.pt: the tiny CLIP of golden/clip/clip_tiny.json as OpenAI distributes CLIPs, a TorchScript
archive with most weights in half precision and three numbers beside them. Run with a Python that has torch:
python3 scripts/golden/clip_archive.py
"""

import json
from pathlib import Path

import torch
from torch import nn

GOLDEN = Path(__file__).resolve().parents[2] / "golden/clip"
SINGLE = ("ln_", "bias", "class_embedding", "positional_embedding", "logit_scale", "token_embedding")


class Part(nn.Module):
    def forward(self, x):
        return x


def place(root, key, value):
    *path, name = key.split(".")
    for part in path:
        if part not in dict(root.named_children()):
            root.add_module(part, Part())
        root = getattr(root, part)
    root.register_parameter(name, nn.Parameter(value))


golden = json.loads((GOLDEN / "clip_tiny.json").read_text())
model = Part()
for key, item in golden["state_dict"].items():
    value = torch.tensor(item["data"]).reshape(item["shape"])
    is_single = any(mark in key for mark in SINGLE)
    place(model, key, value if is_single else value.half())
for name, value in (("input_resolution", 16), ("context_length", 8), ("vocab_size", 100)):
    model.register_buffer(name, torch.tensor(value))
torch.jit.trace(model, torch.zeros(1)).save(str(GOLDEN / "tiny.pt"))
