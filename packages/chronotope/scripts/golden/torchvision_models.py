"""Writes golden/models/torchvision.json: keys, outputs and gradients of torchvision's networks, for src/models.

Weights and inputs follow the rule of src/testing/hash-fill.ts, so they need not be stored. Values are those of narrow
networks of the same form, keys and shapes those of the published ones. The networks with a dilated last stage have the
two replacements that TCLR makes in torchvision's. Run with a Python that has torchvision:
python3 scripts/golden/torchvision_models.py
"""

import json
import math
import zlib
from pathlib import Path

import numpy
import torch
from torch import nn
from torchvision.models import resnet, resnet18, resnet50
from torchvision.models.video import mc3_18, r2plus1d_18, r3d_18
from torchvision.models.video.resnet import (
    BasicBlock,
    BasicStem,
    Conv2Plus1D,
    Conv3DNoTemporal,
    Conv3DSimple,
    R2Plus1dStem,
    VideoResNet,
)

OUT = Path(__file__).resolve().parents[2] / "golden/models/torchvision.json"
SALT = 3


def hash_numbers(name, count):
    x = (zlib.crc32(name.encode()) + 0x9E3779B9 * SALT + numpy.arange(count, dtype=numpy.uint64)) % 2**32
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> numpy.uint64(shift))) * numpy.uint64(factor) % numpy.uint64(2**32)
    x ^= x >> numpy.uint64(16)
    return (x >> numpy.uint64(8)).astype(numpy.float64) / 2**23 - 1


def hash_tensor(name, shape, offset=0.0, scale=1.0):
    values = offset + scale * hash_numbers(name, math.prod(shape))
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


def fill(module):
    state = {}
    for name, tensor in module.state_dict().items():
        shape = list(tensor.shape)
        fan_in = math.prod(shape[1:])
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
        elif name.endswith("running_mean"):
            state[name] = hash_tensor(name, shape, 0, 0.1)
        elif name.endswith("running_var"):
            state[name] = hash_tensor(name, shape, 1, 0.2)
        elif len(shape) >= 2:
            state[name] = hash_tensor(name, shape, 0, math.sqrt((6 if len(shape) > 2 else 3) / fan_in))
        else:
            state[name] = hash_tensor(name, shape, *((1, 0.2) if name.endswith(".weight") else (0, 0.1)))
    module.load_state_dict(state)


def dilate(network):
    """TCLR's replacements in the first block of the last stage."""
    block = network.layer4[0]
    outer = block.downsample[0]
    block.conv1[0] = nn.Conv3d(
        outer.in_channels, outer.out_channels, 3, (1, 2, 2), (2, 1, 1), dilation=(2, 1, 1), bias=False
    )
    block.downsample[0] = nn.Conv3d(outer.in_channels, outer.out_channels, 1, (1, 2, 2), bias=False)
    return network


class NarrowStem(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Conv3d(3, width, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False), nn.BatchNorm3d(width), nn.ReLU())


class NarrowSplitStem(nn.Sequential):
    def __init__(self, width):
        middle = math.ceil(45 / 64 * width)
        super().__init__(
            nn.Conv3d(3, middle, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(middle),
            nn.ReLU(),
            nn.Conv3d(middle, width, (3, 1, 1), 1, (1, 0, 0), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )


def narrow_video(makers, stem, width, depths):
    network = VideoResNet(BasicBlock, makers, [1, 1, 1, 1], R2Plus1dStem if stem is NarrowSplitStem else BasicStem)
    network.inplanes = width
    network.stem = stem(width)
    for stage, (maker, depth) in enumerate(zip(makers, depths)):
        layer = network._make_layer(BasicBlock, maker, width * 2**stage, depth, stride=1 if stage == 0 else 2)
        setattr(network, f"layer{stage + 1}", layer)
    network.fc = nn.Linear(8 * width, 5)
    return network


def narrow_image(block, width, depths):
    network = resnet.ResNet(block, [1, 1, 1, 1])
    network.inplanes = width
    network.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
    network.bn1 = nn.BatchNorm2d(width)
    for stage, depth in enumerate(depths):
        layer = network._make_layer(block, width * 2**stage, depth, stride=1 if stage == 0 else 2)
        setattr(network, f"layer{stage + 1}", layer)
    network.fc = nn.Linear(8 * width * block.expansion, 5)
    return network


def run(name, width, depths, network, input_shape):
    fill(network)
    maps = {}
    network.layer4.register_forward_hook(lambda _, __, output: maps.update(last=output))
    network.eval()
    with torch.no_grad():
        evaluated = network(hash_tensor("input", input_shape, 0.5, 0.5))
    network.train()
    x = hash_tensor("input", input_shape, 0.5, 0.5).requires_grad_()
    logits = network(x)
    (logits * hash_tensor("probe", list(logits.shape))).sum().backward()
    buffers = dict(network.named_buffers())
    last_mean = [key for key in buffers if key.endswith("running_mean")][-1]
    return {
        "name": name,
        "width": width,
        "depths": depths,
        "inputShape": input_shape,
        "mapShape": list(maps["last"].shape),
        "logitsInEvaluation": evaluated.tolist(),
        "logitsInTraining": logits.tolist(),
        "gradInputNorm": x.grad.norm().item(),
        "gradInputFirst": x.grad.flatten()[:8].tolist(),
        "gradNorms": {key: value.grad.norm().item() for key, value in network.named_parameters()},
        "runningMeanAfter": {last_mean: buffers[last_mean][:8].tolist()},
    }


def published(name, network):
    return {"name": name, "state": [[key, list(value.shape)] for key, value in network.state_dict().items()]}


def main():
    simple, split, flat = [Conv3DSimple] * 4, [Conv2Plus1D] * 4, [Conv3DSimple] + [Conv3DNoTemporal] * 3
    clip, image = [3, 3, 9, 33, 40], [3, 3, 65, 72]
    runs = [
        run("r3d18 strided", 4, [1, 2, 1, 1], narrow_video(simple, NarrowStem, 4, [1, 2, 1, 1]), clip),
        run("r3d18 dilated", 4, [2, 1, 1, 2], dilate(narrow_video(simple, NarrowStem, 4, [2, 1, 1, 2])), clip),
        run("r2plus1d18 strided", 4, [1, 2, 1, 1], narrow_video(split, NarrowSplitStem, 4, [1, 2, 1, 1]), clip),
        run("r2plus1d18 dilated", 4, [1, 1, 1, 2], dilate(narrow_video(split, NarrowSplitStem, 4, [1, 1, 1, 2])), clip),
        run("mc3-18", 4, [1, 2, 1, 1], narrow_video(flat, NarrowStem, 4, [1, 2, 1, 1]), clip),
        run("resnet18", 4, [2, 2, 2, 2], narrow_image(resnet.BasicBlock, 4, [2, 2, 2, 2]), image),
        run("resnet50", 4, [2, 1, 2, 1], narrow_image(resnet.Bottleneck, 4, [2, 1, 2, 1]), image),
    ]
    full = [
        published("r3d18 strided", r3d_18()),
        published("r3d18 dilated", dilate(r3d_18())),
        published("r2plus1d18 strided", r2plus1d_18()),
        published("r2plus1d18 dilated", dilate(r2plus1d_18())),
        published("mc3-18", mc3_18()),
        published("resnet18", resnet18()),
        published("resnet50", resnet50()),
    ]
    OUT.write_text(json.dumps({"salt": SALT, "runs": runs, "published": full}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
