"""Python's side of compare.mjs: answers one line of JSON with one, until its input ends."""
import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.models.video import r3d_18

torch.set_num_threads(int(sys.argv[1]))
CLASSES = 10


class ViTTiny(nn.Module):
    """Patches of 8, 12 layers of width 192 with 3 heads; the classifier reads the mean of the tokens."""

    def __init__(self):
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, 64, 192) * 0.02)
        self.patches = nn.Conv2d(3, 192, 8, 8)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(192, 3, 768, 0.0, 'gelu', batch_first=True, norm_first=True) for _ in range(12)
        )
        self.norm = nn.LayerNorm(192)
        self.head = nn.Linear(192, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(1))


def small_network():
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, CLASSES))


MODELS = {
    'mlp': (small_network, (8, 16)),
    'vit': (ViTTiny, (32, 3, 64, 64)),
    'resnet18': (lambda: resnet18(num_classes=CLASSES), (32, 3, 64, 64)),
    'r3d18': (lambda: r3d_18(num_classes=CLASSES), (8, 3, 8, 64, 64)),
}


def training_step(task):
    """A step of SGD as a function, and the model's parameters."""
    build, shape = MODELS[task]
    torch.manual_seed(0)
    model = build()
    # The same inputs on both sides, from a formula.
    x = torch.sin(torch.arange(int(np.prod(shape)), dtype=torch.float32)).view(shape)
    y = torch.arange(shape[0]) % CLASSES
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, list(model.parameters())


def prepare_add(_):
    x, y = torch.ones(8), torch.ones(8)
    return lambda: x.add(y)


def prepare_record(_):
    x, y = torch.ones(8, requires_grad=True), torch.ones(8)
    return lambda: x.add(y)


def prepare_matmul(_):
    x, y = torch.ones(8, 8), torch.ones(8, 8)
    return lambda: x.matmul(y)


def prepare_views(_):
    x = torch.ones(64, 64)
    return lambda: x.view(8, 512).transpose(0, 1).narrow(0, 1, 7).unsqueeze(0)


def prepare_reduce(_):
    x = torch.ones(8, 8)
    return lambda: x.sum(1, keepdim=True)


def prepare_adam(request):
    parameters = training_step('r3d18')[1]
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 1e-3)
    return torch.optim.Adam(parameters, lr=1e-3, foreach=request['foreach']).step


def prepare(request):
    """The work, and the first losses of a model whose initial weights are left in a file for the other side."""
    task = request['task']
    if task not in MODELS:
        return globals()[f'prepare_{task}'](request), []
    step, parameters = training_step(task)
    torch.cat([p.detach().flatten() for p in parameters]).numpy().tofile(request['weights'])
    return step, [step() for _ in range(3)]


def measure(work, repeat):
    elapsed, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        work()
    return {'elapsed': time.perf_counter() - elapsed, 'cpu': time.process_time() - cpu}


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory(request):
    before = peak_bytes()
    step, _ = training_step(request['task'])
    for _ in range(4):
        step()
    return {'bytes': peak_bytes() - before}


work = None
for line in sys.stdin:
    request = json.loads(line)
    answer = {}
    if request['do'] == 'prepare':
        work, losses = prepare(request)
        answer = {'losses': losses}
    elif request['do'] == 'run':
        answer = measure(work, request['repeat'])
    elif request['do'] == 'memory':
        answer = memory(request)
    else:
        work = None
    print(json.dumps(answer), flush=True)
