# The same as step.mjs, with PyTorch.
import sys
import time

import torch
import torch.distributed as dist
from torch import nn

kind, steps = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
dist.init_process_group("gloo")
torch.manual_seed(0)


def measure(body):
    for _ in range(3):
        body()
    dist.barrier()
    started = time.perf_counter()
    for _ in range(steps):
        body()
    dist.barrier()
    if dist.get_rank() == 0:
        print((time.perf_counter() - started) * 1000 / steps)


if kind.endswith("all-reduce"):
    value = torch.ones(1)
    measure(lambda: dist.all_reduce(value))
else:
    layers = [layer for _ in range(8) for layer in (nn.Linear(1024, 1024), nn.ReLU())]
    model = nn.parallel.DistributedDataParallel(nn.Sequential(*layers))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x = torch.randn(int(kind), 1024)

    def step():
        optimizer.zero_grad(set_to_none=True)
        model(x).square().mean().backward()
        optimizer.step()

    measure(step)
