"""Writes golden/models/official-pretraining.pth: a checkpoint laid out as TCLR's pre-training writes it on several GPUs.

The network is R3D-18 of width 1 with one block a stage and a head to 4 dimensions, its weights by the rule of
src/testing/hash-fill.ts under the keys without `module.`. Run with a Python that has torchvision:
python3 scripts/golden/official_checkpoint.py
"""

from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from torch import nn
from torchvision_models import NarrowStem, dilate, fill, narrow_video
from torchvision.models.video.resnet import Conv3DSimple

OUT = Path(__file__).resolve().parents[2] / "golden/models/official-pretraining.pth"


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 8)
        self.bn1 = nn.BatchNorm1d(8)
        self.bn2 = nn.BatchNorm1d(4)
        self.fc2 = nn.Linear(8, 4, bias=False)


def main():
    backbone = dilate(narrow_video([Conv3DSimple] * 4, NarrowStem, 1, [1, 1, 1, 1]))
    backbone.fc = nn.Identity()
    network = nn.Sequential(backbone, Head())
    fill(network)
    checkpoint = {
        "epoch": 3,
        "amp_scaler": torch.cuda.amp.GradScaler(),
        "learning_rate": 1e-3,
        "best_score": numpy.float64(1.5),
        "scheduler_epoch": 2,
        "state_dict": OrderedDict((f"module.{key}", value) for key, value in network.state_dict().items()),
        "optimizer": torch.optim.SGD(network.parameters(), lr=0.1).state_dict(),
    }
    torch.save(checkpoint, OUT)


if __name__ == "__main__":
    main()
