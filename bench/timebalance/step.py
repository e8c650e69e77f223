"""One side of bench/timebalance/run.mjs: a step of TimeBalance written plainly in PyTorch, in the structure of the official
code. Prints milliseconds of processor time a step, the peak of resident memory in MiB and the number of parameters.

    python3 step.py <size> <step> <steps> <threads>
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = json.load(open(f"{sys.path[0]}/sizes.json"))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, dilation=1):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, stride, (dilation, 1, 1), (dilation, 1, 1), bias=False),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
        )
        self.conv2 = nn.Sequential(nn.Conv3d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm3d(outputs))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if inputs != outputs or tuple(stride) != (1, 1, 1):
            self.downsample = nn.Sequential(
                nn.Conv3d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm3d(outputs)
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.conv2(self.conv1(x)) + shortcut)


class Backbone(nn.Module):
    def __init__(self, stem, stages, blocks):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, stem["width"], stem["kernel"], stem["stride"], stem["padding"], bias=False),
            nn.BatchNorm3d(stem["width"]),
            nn.ReLU(inplace=True),
        )
        layers, width = [], stem["width"]
        for stage in stages:
            for block in range(blocks):
                first = block == 0
                layers.append(
                    Block(width, stage["width"], stage["stride"] if first else (1, 1, 1), stage["dilation"] if first else 1)
                )
                width = stage["width"]
        self.stages = nn.Sequential(*layers)
        self.features = width

    def forward(self, x):
        return self.stages(self.stem(x))


class Classifier(nn.Module):
    def __init__(self, backbone, classes, dropout):
        super().__init__()
        self.backbone, self.dropout = backbone, nn.Dropout(dropout)
        self.fc = nn.Linear(backbone.features, classes)

    def forward(self, x):
        return self.fc(self.dropout(self.backbone(x).mean((2, 3, 4))))


class Head(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.fc1, self.bn1 = nn.Linear(inputs, inputs), nn.BatchNorm1d(inputs)
        self.fc2, self.bn2 = nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs)

    def forward(self, x):
        return F.normalize(self.bn2(self.fc2(F.relu(self.bn1(self.fc1(x))))), dim=1)


def student_step(size, clips):
    """`clips` gives those of each step, labelled ones first: [B, 1, 3, T, H, W]."""
    classes, (labelled, unlabelled) = size["classes"], size["studentBatch"]
    student, invariant, distinctive = (Classifier(Backbone(**size["network"]), classes, 0.2) for _ in range(3))
    invariant.eval(), distinctive.eval()
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-3)
    y = torch.arange(labelled) % classes
    s_l, s_u = torch.rand(labelled, 1), torch.rand(unlabelled, 1)

    def taught(x, s):
        with torch.no_grad():
            return s * invariant(x).softmax(1) + (1 - s) * distinctive(x).softmax(1)

    def step():
        x_l, x_u = clips()[:, 0].split([labelled, unlabelled])
        optimizer.zero_grad()
        z_l, z_u = student(x_l), student(x_u)
        q_l, q_u = taught(x_l, s_l), taught(x_u, s_u)
        loss = F.cross_entropy(z_l, y) + 50 * F.mse_loss(z_l.softmax(1), q_l) + 100 * F.mse_loss(z_u.softmax(1), q_u)
        loss.backward()
        optimizer.step()

    return step, student.parameters()


def labelled_step(size, clips):
    """`clips` gives those of each step: [B, 1, 3, T, H, W]."""
    classes, labelled = size["classes"], size["studentBatch"][0]
    model = Classifier(Backbone(**size["network"]), classes, 0.2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    y = torch.arange(labelled) % classes

    def step():
        x = clips()[:, 0]
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step, model.parameters()


def nt_xent(a, b, temperature=0.1):
    u = torch.cat([b, a])
    n = len(u)
    logits = (u @ u.T / temperature).masked_fill(torch.eye(n, dtype=torch.bool), float("-inf"))
    return F.cross_entropy(logits, (torch.arange(n) + n // 2) % n)


def global_local(slices, local, temperature=0.1):
    logits = torch.bmm(slices, local.transpose(1, 2)) / temperature
    rows, columns = logits.log_softmax(2), logits.log_softmax(1)
    diagonal = lambda x: torch.diagonal(x, dim1=1, dim2=2).sum()
    return -(diagonal(rows) + diagonal(columns)) / (2 * len(slices))


def pretraining_step(size, clips):
    """`clips` gives those of each step, two global ones and two views of four local ones: [B, 10, 3, T, H, W]."""
    videos, times = size["pretextBatch"], 4
    backbone = Backbone(**size["network"])
    head = Head(backbone.features, size["embedding"])
    optimizer = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=1e-3)

    def step():
        first, second, *others = clips().unbind(1)
        global_clips, local_clips = [first, second], [others[:times], others[times:]]
        optimizer.zero_grad()
        pooled, slices = [], []
        for x in global_clips:
            features = F.adaptive_avg_pool3d(backbone(x), (times, 1, 1)).flatten(2)
            pooled.append(head(features.mean(2)))
            slices.append(torch.stack([head(features[:, :, k]) for k in range(times)], 1))
        local = [[head(F.adaptive_avg_pool3d(backbone(x), (times, 1, 1)).mean((2, 3, 4))) for x in view] for view in local_clips]
        flat = local[0] + local[1]
        pairs = [nt_xent(flat[i], flat[j]) for i in range(8) for j in range(i)]
        views = [torch.stack(view, 1) for view in local]
        loss = nt_xent(*pooled) + sum(pairs) / 2
        loss = loss + sum(nt_xent(views[0][b], views[1][b]) for b in range(videos))
        loss = loss + sum(global_local(l, d) for l in slices for d in views)
        loss.backward()
        optimizer.step()

    return step, [*backbone.parameters(), *head.parameters()]


if __name__ == "__main__":
    name, kind, steps, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    size = SIZES[name]
    clip = (3, size["frames"], size["pixels"], size["pixels"])
    leading = {"student": (sum(size["studentBatch"]), 1), "pretraining": (size["pretextBatch"], 10)}[kind]
    make = {"student": student_step, "pretraining": pretraining_step}[kind]
    batch = torch.rand(*leading, *clip)
    step, parameters = make(size, lambda: batch)
    for _ in range(2):
        step()
    times = []
    for _ in range(steps):
        started = time.process_time()
        step()
        times.append(1000 * (time.process_time() - started))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"milliseconds": min(times), "peakMiB": peak, "parameters": sum(p.numel() for p in parameters)}))
