"""Writes golden/optim/steps.json: parameters after each step of PyTorch's own optimisers, for the tests of src/optim.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/optim.py
"""

import numpy as np
import torch
from stored import values, write

STEPS = 5


def start():
    """Two parameters and the gradients of every step; the second parameter gets no gradient in step 1."""
    torch.manual_seed(5)
    parameters = [torch.randn(2, 3), torch.randn(4)]
    gradients = [[torch.randn(2, 3), torch.randn(4) if step != 1 else None] for step in range(STEPS)]
    return parameters, gradients


def numbers(tensor):
    return None if tensor is None else values(tensor)


def run(name, make, options, change=None):
    """`change` maps a step number to the learning rate set before that step."""
    values, gradients = start()
    parameters = [value.clone().requires_grad_() for value in values]
    optimizer = make(parameters)
    trajectory = []
    for step in range(STEPS):
        if change and step in change:
            for group in optimizer.param_groups:
                group["lr"] = change[step]
        for parameter, gradient in zip(parameters, gradients[step]):
            parameter.grad = None if gradient is None else gradient.clone()
        optimizer.step()
        trajectory.append([numbers(parameter) for parameter in parameters])
    return {"name": name, "options": options, "learningRates": change or {}, "trajectory": trajectory}


class LARS:
    """You et al. (2017) as SimCLR uses it, in float64 and parameter by parameter: PyTorch has none to compare with."""

    def __init__(self, parameters, lr, momentum=0.9, weight_decay=0.0, trust=0.001, exclude_vectors=True):
        self.param_groups = [{"params": parameters, "lr": lr}]
        self.weights = [p.detach().double().numpy() for p in parameters]
        self.momenta = [None for _ in parameters]
        self.settings = momentum, weight_decay, trust, exclude_vectors

    def step(self):
        momentum, weight_decay, trust, exclude_vectors = self.settings
        for index, parameter in enumerate(self.param_groups[0]["params"]):
            if parameter.grad is None:
                continue
            weights, update = self.weights[index], parameter.grad.double().numpy()
            if weights.ndim > 1 or not exclude_vectors:
                update = update + weight_decay * weights
                lengths = np.linalg.norm(weights), np.linalg.norm(update)
                update = update * (trust * lengths[0] / lengths[1] if min(lengths) > 0 else 1.0)
            before = self.momenta[index]
            self.momenta[index] = update if before is None else momentum * before + update
            self.weights[index] = weights - self.param_groups[0]["lr"] * self.momenta[index]
            parameter.data = torch.from_numpy(self.weights[index]).float()


def clip(max_norm, norm_type=2.0):
    parameters = with_gradients()
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
    return {
        "maxNorm": max_norm,
        "normType": "inf" if norm_type == float("inf") else norm_type,
        "norm": norm.item(),
        "gradients": [numbers(parameter.grad) for parameter in parameters],
    }


def clip_each(max_norm):
    parameters = with_gradients()
    norms = [torch.nn.utils.clip_grad_norm_([parameter], max_norm).item() for parameter in parameters]
    return {"maxNorm": max_norm, "norms": norms, "gradients": [numbers(parameter.grad) for parameter in parameters]}


def clip_value(max_value):
    parameters = with_gradients()
    torch.nn.utils.clip_grad_value_(parameters, max_value)
    return {"maxValue": max_value, "gradients": [numbers(parameter.grad) for parameter in parameters]}


def with_gradients():
    _, gradients = start()
    parameters = [torch.zeros_like(gradient).requires_grad_() for gradient in gradients[0]]
    for parameter, gradient in zip(parameters, gradients[0]):
        parameter.grad = gradient.clone()
    return parameters


optim = torch.optim
cases = [
    run("adam", lambda p: optim.Adam(p), {}),
    run("adam", lambda p: optim.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3), {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-6, "weightDecay": 0.3}),
    run("adam", lambda p: optim.Adam(p, lr=0.1), {"lr": 0.1}, {2: 0.01}),
    run("adamw", lambda p: optim.AdamW(p, lr=0.1), {"lr": 0.1}),
    run("adamw", lambda p: optim.AdamW(p, lr=0.1, betas=(0.8, 0.95), weight_decay=0.3), {"lr": 0.1, "betas": [0.8, 0.95], "weightDecay": 0.3}),
    run("adam", lambda p: optim.Adam(p, lr=0.1, amsgrad=True), {"lr": 0.1, "amsgrad": True}),
    run("adamw", lambda p: optim.AdamW(p, lr=0.1, betas=(0.5, 0.6), amsgrad=True), {"lr": 0.1, "betas": [0.5, 0.6], "amsgrad": True}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1), {"lr": 0.1}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, weight_decay=0.2), {"lr": 0.1, "weightDecay": 0.2}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, momentum=0.9), {"lr": 0.1, "momentum": 0.9}, {3: 0.02}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.2), {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.2}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5), {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    run("lars", lambda p: LARS(p, lr=2.0), {"lr": 2.0}),
    run(
        "lars",
        lambda p: LARS(p, lr=2.0, momentum=0.5, weight_decay=0.3, trust=0.1),
        {"lr": 2.0, "momentum": 0.5, "weightDecay": 0.3, "trustCoefficient": 0.1},
        {2: 0.5},
    ),
    run("lars", lambda p: LARS(p, lr=2.0, weight_decay=0.3, trust=0.1, exclude_vectors=False), {"lr": 2.0, "weightDecay": 0.3, "trustCoefficient": 0.1, "excludeVectors": False}),
    run(
        "adamGroups",
        lambda p: optim.Adam([{"params": [p[0]], "lr": 0.2}, {"params": [p[1]], "weight_decay": 0.5}], lr=0.05),
        {},
    ),
]
parameters, gradients = start()
write(
    "optim/steps.json",
    {
        "shapes": [list(parameter.shape) for parameter in parameters],
        "parameters": [numbers(parameter) for parameter in parameters],
        "gradients": [[numbers(gradient) for gradient in step] for step in gradients],
        "cases": cases,
        "clipGradNorm": [clip(1.0), clip(100.0), clip(0.5, 1.0), clip(0.5, float("inf"))],
        "clipGradNormPerTensor": [clip_each(1.0), clip_each(100.0)],
        "clipGradValue": [clip_value(0.5)],
    },
)
