"""Writes golden/optim/steps.json: parameters after each step of PyTorch's own optimisers, for the tests of src/optim.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/optim.py
"""

import json
from pathlib import Path

import torch

OUTPUT = Path(__file__).resolve().parents[2] / "golden" / "optim" / "steps.json"
STEPS = 5


def start():
    """Two parameters and the gradients of every step; the second parameter gets no gradient in step 1."""
    torch.manual_seed(5)
    parameters = [torch.randn(2, 3), torch.randn(4)]
    gradients = [[torch.randn(2, 3), torch.randn(4) if step != 1 else None] for step in range(STEPS)]
    return parameters, gradients


def numbers(tensor):
    return None if tensor is None else tensor.detach().double().flatten().tolist()


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


def clip(max_norm, norm_type=2.0):
    _, gradients = start()
    parameters = [torch.zeros_like(gradient).requires_grad_() for gradient in gradients[0]]
    for parameter, gradient in zip(parameters, gradients[0]):
        parameter.grad = gradient.clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
    return {
        "maxNorm": max_norm,
        "normType": "inf" if norm_type == float("inf") else norm_type,
        "norm": norm.item(),
        "gradients": [numbers(parameter.grad) for parameter in parameters],
    }


optim = torch.optim
cases = [
    run("adam", lambda p: optim.Adam(p), {}),
    run("adam", lambda p: optim.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3), {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-6, "weightDecay": 0.3}),
    run("adam", lambda p: optim.Adam(p, lr=0.1), {"lr": 0.1}, {2: 0.01}),
    run("adamw", lambda p: optim.AdamW(p, lr=0.1), {"lr": 0.1}),
    run("adamw", lambda p: optim.AdamW(p, lr=0.1, betas=(0.8, 0.95), weight_decay=0.3), {"lr": 0.1, "betas": [0.8, 0.95], "weightDecay": 0.3}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1), {"lr": 0.1}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, momentum=0.9), {"lr": 0.1, "momentum": 0.9}, {3: 0.02}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.2), {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.2}),
    run("sgd", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5), {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    run(
        "adamGroups",
        lambda p: optim.Adam([{"params": [p[0]], "lr": 0.2}, {"params": [p[1]], "weight_decay": 0.5}], lr=0.05),
        {},
    ),
]
parameters, gradients = start()
OUTPUT.write_text(
    json.dumps(
        {
            "torch": torch.__version__,
            "shapes": [list(parameter.shape) for parameter in parameters],
            "parameters": [numbers(parameter) for parameter in parameters],
            "gradients": [[numbers(gradient) for gradient in step] for step in gradients],
            "cases": cases,
            "clipGradNorm": [clip(1.0), clip(100.0), clip(0.5, 1.0), clip(0.5, float("inf"))],
        }
    )
)
