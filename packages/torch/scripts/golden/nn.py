"""Writes golden/nn/layers.json: what PyTorch's own layers compute and print, for the tests of src/nn.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/nn.py
"""

import torch
from stored import state, stored, write
from torch import nn


def run(name, module, shape, mode="train"):
    """One forward and backward; the loss is sum(output * probe). `shape` may also be a tensor of indices."""
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
    x = shape if isinstance(shape, torch.Tensor) else torch.randn(shape, requires_grad=True)
    given = stored(x)
    y = module(x * 1 if x.requires_grad else x)
    probe = torch.randn_like(y)
    (y * probe).sum().backward()
    return {
        "name": name,
        "mode": mode,
        "printed": repr(module),
        "state": before,
        "input": given,
        "output": stored(y),
        "probe": stored(probe),
        "gradInput": None if x.grad is None else stored(x.grad),
        "gradParameters": {key: stored(value.grad) for key, value in module.named_parameters()},
        "buffersAfter": {key: stored(value) for key, value in module.named_buffers()},
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


class QuickGELU(nn.Module):
    """As in OpenAI's CLIP."""

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class MLP(nn.Module):
    """A network with every kind of container, to compare keys and print."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3, bias=False)])
        self.heads = nn.ModuleDict({"action": nn.Linear(3, 2), "scene": nn.Sequential(nn.ReLU(), nn.Linear(3, 2))})
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(1))])

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x) * self.scales[0]
        return self.heads["action"](x) + self.heads["scene"](x) * self.scales[1]


def filled(initialiser, shape, **options):
    """A layer without forward whose weight an initialiser fills."""
    holder = nn.Module()
    holder.weight = nn.Parameter(torch.empty(shape))
    initialiser(holder.weight, **options)
    return holder


def pool(name, kind, shape, *args, **options):
    return run(name, getattr(nn, kind)(*args, **options), shape)


line, image, clip = (2, 2, 9), (1, 2, 6, 7), (1, 2, 4, 5, 5)
weight_norm = nn.utils.weight_norm
layers = [
    run("linear", nn.Linear(3, 4), (5, 3)),
    run("linearNoBias", nn.Linear(3, 4, bias=False), (2, 5, 3)),
    run("conv1d", nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 2, 7)),
    run("conv2d", nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), groups=2), (2, 2, 5, 4)),
    run("conv3d", nn.Conv3d(2, 3, 3, stride=(1, 2, 2), padding=(2, 1, 1), dilation=(2, 1, 1), bias=False), (1, 2, 4, 4, 4)),
    run("convTranspose1d", nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 2, 4)),
    run("convTranspose2d", nn.ConvTranspose2d(4, 2, (3, 2), stride=(2, 1), padding=(1, 0), groups=2, bias=False), (1, 4, 3, 3)),
    run("convTranspose3d", nn.ConvTranspose3d(2, 1, 2, stride=(1, 2, 2), dilation=(2, 1, 1)), (1, 2, 2, 3, 2)),
    run("batchNorm1d", nn.BatchNorm1d(3), (5, 3)),
    run("batchNorm1d", nn.BatchNorm1d(3), (5, 3), mode="eval"),
    run("batchNorm2d", nn.BatchNorm2d(2, eps=1e-3, momentum=0.3), (2, 2, 3, 2)),
    run("batchNorm2dPlain", nn.BatchNorm2d(2, affine=False), (2, 2, 3, 2)),
    run("batchNorm3d", nn.BatchNorm3d(2), (2, 2, 2, 2, 2)),
    run("batchNorm3d", nn.BatchNorm3d(2), (2, 2, 2, 2, 2), mode="eval"),
    run("layerNorm", nn.LayerNorm(4), (2, 3, 4)),
    run("layerNormTwo", nn.LayerNorm([3, 4], eps=1e-3), (2, 3, 4)),
    run("layerNormPlain", nn.LayerNorm(4, elementwise_affine=False), (3, 4)),
    run("groupNorm", nn.GroupNorm(2, 4), (2, 4, 3)),
    run("groupNormPlain", nn.GroupNorm(3, 3, eps=1e-3, affine=False), (2, 3, 2, 2)),
    run("relu", nn.ReLU(), (3, 4)),
    run("reluInplace", nn.ReLU(inplace=True), (3, 4)),
    run("relu6", nn.ReLU6(), (3, 4)),
    run("leakyRelu", nn.LeakyReLU(), (3, 4)),
    run("leakyReluSteep", nn.LeakyReLU(0.2), (3, 4)),
    run("prelu", nn.PReLU(), (3, 4)),
    run("preluChannels", nn.PReLU(3), (2, 3, 2)),
    run("elu", nn.ELU(), (3, 4)),
    run("celu", nn.CELU(0.5), (3, 4)),
    run("selu", nn.SELU(), (3, 4)),
    run("gelu", nn.GELU(), (3, 4)),
    run("geluTanh", nn.GELU(approximate="tanh"), (3, 4)),
    run("quickGelu", QuickGELU(), (3, 4)),
    run("silu", nn.SiLU(), (3, 4)),
    run("mish", nn.Mish(), (3, 4)),
    run("sigmoid", nn.Sigmoid(), (3, 4)),
    run("logSigmoid", nn.LogSigmoid(), (3, 4)),
    run("hardsigmoid", nn.Hardsigmoid(), (3, 4)),
    run("hardswish", nn.Hardswish(), (3, 4)),
    run("tanh", nn.Tanh(), (3, 4)),
    run("hardtanh", nn.Hardtanh(-0.5, 0.7), (3, 4)),
    run("softplus", nn.Softplus(), (3, 4)),
    run("softmax", nn.Softmax(dim=1), (3, 4)),
    run("logSoftmax", nn.LogSoftmax(dim=-1), (3, 4)),
    run("glu", nn.GLU(), (3, 4)),
    run("dropout", nn.Dropout(0.4), (3, 4), mode="eval"),
    run("dropout2d", nn.Dropout2d(0.4), (1, 2, 2, 2), mode="eval"),
    run("embedding", nn.Embedding(5, 3, padding_idx=1), torch.tensor([[0, 1, 4], [4, 2, 1]])),
    pool("maxPool1d", "MaxPool1d", line, 3, stride=2, padding=1),
    pool("maxPool2d", "MaxPool2d", image, 3, stride=2, dilation=2, ceil_mode=True),
    pool("maxPool3d", "MaxPool3d", clip, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
    pool("avgPool1d", "AvgPool1d", line, 3, stride=2, padding=1),
    pool("avgPool2d", "AvgPool2d", image, (3, 2), ceil_mode=True),
    pool("avgPool3d", "AvgPool3d", clip, 3, stride=2, padding=1, count_include_pad=False),
    pool("adaptiveAvgPool1d", "AdaptiveAvgPool1d", line, 4),
    pool("adaptiveAvgPool2d", "AdaptiveAvgPool2d", image, (4, 3)),
    pool("adaptiveAvgPool3d", "AdaptiveAvgPool3d", clip, (2, 1, 1)),
    pool("adaptiveMaxPool1d", "AdaptiveMaxPool1d", line, 4),
    pool("adaptiveMaxPool2d", "AdaptiveMaxPool2d", image, (4, 3)),
    pool("adaptiveMaxPool3d", "AdaptiveMaxPool3d", clip, 2),
    run("identity", nn.Identity(), (2, 3)),
    run("flatten", nn.Flatten(), (2, 3, 2)),
    run("flattenSome", nn.Flatten(0, 1), (2, 3, 2)),
    run("unflatten", nn.Unflatten(1, (2, -1)), (2, 6)),
    run("weightNormLinear", weight_norm(nn.Linear(3, 4)), (5, 3)),
    run("weightNormConv", weight_norm(nn.Conv1d(2, 3, 2, bias=False), dim=1), (1, 2, 4)),
    run("weightNormWhole", weight_norm(nn.Linear(3, 2), dim=None), (2, 3)),
    run("sequential", nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 2)), (6, 3)),
    run("containers", MLP(), (4, 3)),
    run("normalize", Normalize(dim=1), (3, 4)),
    run("normalizeL1", Normalize(p=1.0, dim=-1), (2, 3, 2)),
]
init = nn.init
initialisation = [
    initialised("linear", lambda: nn.Linear(5, 4)),
    initialised("conv1d", lambda: nn.Conv1d(2, 3, 2)),
    initialised("conv2d", lambda: nn.Conv2d(4, 2, 3, groups=2)),
    initialised("conv3d", lambda: nn.Conv3d(2, 3, (1, 2, 2))),
    initialised("convTranspose2d", lambda: nn.ConvTranspose2d(4, 2, 3, groups=2)),
    initialised("batchNorm3d", lambda: nn.BatchNorm3d(3)),
    initialised("layerNorm", lambda: nn.LayerNorm(3)),
    initialised("embedding", lambda: nn.Embedding(4, 3, padding_idx=2)),
    initialised("multiheadAttention", lambda: nn.MultiheadAttention(4, 2)),
    initialised("crossAttention", lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=5)),
    initialised("weightNorm", lambda: weight_norm(nn.Linear(3, 4))),
    initialised("kaimingNormalFanOut", lambda: filled(init.kaiming_normal_, (4, 2, 3, 1, 1), mode="fan_out", nonlinearity="relu")),
    initialised("kaimingUniform", lambda: filled(init.kaiming_uniform_, (4, 3), a=0.2)),
    initialised("xavierUniform", lambda: filled(init.xavier_uniform_, (4, 3, 2), gain=init.calculate_gain("tanh"))),
    initialised("xavierNormal", lambda: filled(init.xavier_normal_, (4, 3))),
    initialised("truncNormal", lambda: filled(init.trunc_normal_, (5, 4), mean=0.1, std=0.5, a=-0.6, b=0.9)),
    initialised("orthogonalTall", lambda: filled(init.orthogonal_, (5, 3), gain=2.0)),
    initialised("orthogonalWide", lambda: filled(init.orthogonal_, (3, 2, 4))),
    initialised("eye", lambda: filled(init.eye_, (2, 3))),
]
write("nn/layers.json", {"layers": layers, "initialisation": initialisation})
