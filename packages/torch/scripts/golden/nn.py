"""Writes golden/nn/layers.json: what PyTorch's own layers compute, for the tests of src/nn.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/nn.py
"""

import json
from pathlib import Path

import torch
from torch import nn

OUTPUT = Path(__file__).resolve().parents[2] / "golden" / "nn" / "layers.json"


def numbers(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().double().flatten().tolist()}


def state(module):
    return {key: numbers(value) for key, value in module.state_dict().items()}


def run(name, module, shape, mode="train"):
    """One forward and backward; the loss is sum(output * probe)."""
    torch.manual_seed(7)
    module.train(mode == "train")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
        for buffer_name, buffer in module.named_buffers():
            if buffer_name.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.1)
            if buffer_name.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)
    before = state(module)
    x = torch.randn(shape, requires_grad=True)
    y = module(x)
    probe = torch.randn_like(y)
    (y * probe).sum().backward()
    return {
        "name": name,
        "mode": mode,
        "state": before,
        "input": numbers(x),
        "output": numbers(y),
        "probe": numbers(probe),
        "gradInput": numbers(x.grad),
        "gradParameters": {key: numbers(value.grad) for key, value in module.named_parameters()},
        "buffersAfter": {key: numbers(value) for key, value in module.named_buffers()},
    }


def initialised(name, make):
    torch.manual_seed(3)
    return {"name": name, "state": state(make())}


class Normalize(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x):
        return nn.functional.normalize(x, **self.options)


def kaiming_normal_fan_out():
    conv = nn.Conv3d(2, 4, (3, 1, 1), bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def cross_entropy(**options):
    torch.manual_seed(11)
    logits = torch.randn(4, 3, requires_grad=True)
    target = torch.tensor([0, 2, 1, 2])
    if "weight" in options:
        options = {**options, "weight": torch.tensor(options["weight"])}
    loss = nn.functional.cross_entropy(logits, target, **options)
    loss.sum().backward()
    return {"logits": numbers(logits), "target": target.tolist(), "loss": numbers(loss), "gradLogits": numbers(logits.grad)}


layers = [
    run("linear", nn.Linear(3, 4), (5, 3)),
    run("linearNoBias", nn.Linear(3, 4, bias=False), (2, 5, 3)),
    run("conv1d", nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 2, 7)),
    run("conv2d", nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), groups=2), (2, 2, 5, 4)),
    run("conv3d", nn.Conv3d(2, 3, 3, stride=(1, 2, 2), padding=(2, 1, 1), dilation=(2, 1, 1), bias=False), (1, 2, 4, 4, 4)),
    run("batchNorm1d", nn.BatchNorm1d(3), (5, 3)),
    run("batchNorm1d", nn.BatchNorm1d(3), (5, 3), mode="eval"),
    run("batchNorm2d", nn.BatchNorm2d(2, eps=1e-3, momentum=0.3), (2, 2, 3, 2)),
    run("batchNorm2dPlain", nn.BatchNorm2d(2, affine=False), (2, 2, 3, 2)),
    run("batchNorm3d", nn.BatchNorm3d(2), (2, 2, 2, 2, 2)),
    run("batchNorm3d", nn.BatchNorm3d(2), (2, 2, 2, 2, 2), mode="eval"),
    run("relu", nn.ReLU(), (3, 4)),
    run("dropout", nn.Dropout(0.4), (3, 4), mode="eval"),
    run("adaptiveAvgPool3d", nn.AdaptiveAvgPool3d((2, 1, 1)), (1, 2, 3, 2, 3)),
    run("maxPool3d", nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)), (1, 2, 2, 4, 4)),
    run("flatten", nn.Flatten(), (2, 3, 2)),
    run("sequential", nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 2)), (6, 3)),
    run("normalize", Normalize(dim=1), (3, 4)),
    run("normalizeL1", Normalize(p=1.0, dim=-1), (2, 3, 2)),
]
initialisation = [
    initialised("linear", lambda: nn.Linear(5, 4)),
    initialised("conv1d", lambda: nn.Conv1d(2, 3, 2)),
    initialised("conv2d", lambda: nn.Conv2d(4, 2, 3, groups=2)),
    initialised("conv3d", lambda: nn.Conv3d(2, 3, (1, 2, 2))),
    initialised("batchNorm3d", lambda: nn.BatchNorm3d(3)),
    initialised("kaimingNormalFanOut", kaiming_normal_fan_out),
]
losses = {
    "plain": cross_entropy(),
    "weighted": cross_entropy(weight=[0.2, 1.0, 3.0], reduction="sum"),
    "smoothed": cross_entropy(label_smoothing=0.1),
    "none": cross_entropy(reduction="none"),
}

OUTPUT.write_text(
    json.dumps({"torch": torch.__version__, "layers": layers, "initialisation": initialisation, "crossEntropy": losses})
)
