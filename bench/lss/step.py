# The same training step as step.mjs, in plain PyTorch: student on all views, teacher on the global ones, the five losses,
# AdamW with gradients clipped, the teacher's average. Reads "step" lines, answers "<processor ms> <loss>".
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

data = torch.load(sys.argv[1])
heads = int(sys.argv[2])
torch.set_num_threads(1)
tensors = {key: value.float() for key, value in data.items()}
state = {key[len("student.") :]: value for key, value in tensors.items() if key.startswith("student.")}
width, _, patch, _ = state["visual.conv1.weight"].shape
depth = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("temporal."))
TAU_S, TAU_T = 0.1, 0.04


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})
        self.gelu = QuickGELU()
        self.ln_2 = nn.LayerNorm(width)


class Temporal(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        y = self.norm(x)
        return self.fc(self.attn(y, y, y, need_weights=False)[0])


class Visual(nn.Module):
    def __init__(self):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros_like(state["visual.positional_embedding"]))
        self.proj = nn.Parameter(torch.zeros_like(state["visual.proj"]))
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(Block() for _ in range(depth))})
        self.ln_post = nn.LayerNorm(width)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.time_embed = nn.Parameter(torch.zeros_like(state["time_embed"]))
        self.visual = Visual()
        self.temporal = nn.ModuleList(Temporal() for _ in range(depth))

    def positions(self, side):
        positions = self.visual.positional_embedding
        own = int((positions.shape[0] - 1) ** 0.5)
        if own == side:
            return positions[1:]
        planes = positions[1:].T.reshape(1, width, own, own)
        return F.interpolate(planes, (side, side), mode="bicubic", align_corners=False).reshape(width, -1).T

    def forward(self, clips):
        n, _, frames, _, size = clips.shape
        v = self.visual
        patches = v.conv1(clips.transpose(1, 2).flatten(0, 1)).flatten(2).transpose(1, 2)
        count = patches.shape[1]
        patches = (patches + self.positions(size // patch)).unflatten(0, (n, frames)) + self.time_embed.unsqueeze(2)
        cls = (v.class_embedding + v.positional_embedding[0]).expand(n, 1, width)
        cls, patches = v.ln_pre(cls), v.ln_pre(patches)
        for block, temporal in zip(v.transformer["resblocks"], self.temporal):
            by_place = patches.transpose(1, 2).reshape(n * count, frames, width)
            patches = patches + temporal(by_place).reshape(n, count, frames, width).transpose(1, 2)
            by_frame = torch.cat([cls.unsqueeze(1).expand(n, frames, 1, width), patches], 2)
            y = block.ln_1(by_frame.reshape(n * frames, 1 + count, width))
            y = block.attn(y, y, y, need_weights=False)[0].reshape(n, frames, 1 + count, width)
            cls, patches = cls + y[:, :, 0].mean(1, keepdim=True), patches + y[:, :, 1:]
            tokens = torch.cat([cls, patches.flatten(1, 2)], 1)
            tokens = tokens + block.mlp["c_proj"](block.gelu(block.mlp["c_fc"](block.ln_2(tokens))))
            cls, patches = tokens[:, :1], tokens[:, 1:].unflatten(1, (frames, count))
        return v.ln_post(cls[:, 0]) @ v.proj


student, teacher = Network(), Network()
student.load_state_dict(state)
teacher.load_state_dict(state)
teacher.requires_grad_(False)
optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4, weight_decay=0.05)
global_views, local_views = tensors["globals"], tensors["locals"]
spaces = [F.normalize(tensors["category"], dim=-1), F.normalize(tensors["description"], dim=-1)]


def outputs(network, views):
    return torch.cat([network(view.flatten(0, 1)).reshape(*view.shape[:2], -1) for view in views])


def cross_entropy(targets, log_probabilities):
    pairs = [(i, j) for i in range(len(targets)) for j in range(len(log_probabilities)) if i != j]
    terms = [-(targets[i] * log_probabilities[j]).sum(-1).mean() for i, j in pairs]
    return sum(terms) / len(pairs)


def step():
    optimizer.zero_grad(set_to_none=True)
    with torch.no_grad():
        seen = F.normalize(outputs(teacher, [global_views]), dim=-1)
    said = F.normalize(outputs(student, [global_views, local_views]), dim=-1)
    p = [F.softmax(seen @ space.T / TAU_T, -1) for space in spaces]
    q = [F.log_softmax(said @ space.T / TAU_S, -1) for space in spaces]
    distillation = cross_entropy(p[0], q[0]) + cross_entropy(p[1], q[1])
    prior = sum(-prediction.exp().mean((0, 1)).log().mean() for prediction in q)
    alignment = (cross_entropy(p[0], q[1]) + cross_entropy(p[1], q[0])) / 2
    loss = distillation + prior + alignment
    value = loss.item()
    loss.backward()
    nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        for average, parameter in zip(teacher.parameters(), student.parameters()):
            average.mul_(0.996).add_(parameter, alpha=0.004)
    return value


for _ in sys.stdin:
    started = time.process_time()
    value = step()
    print(1000 * (time.process_time() - started), value, flush=True)
