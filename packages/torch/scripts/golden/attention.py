"""Writes golden/nn/attention.json: PyTorch's attention layers, for the tests of src/nn.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/attention.py
"""

import torch
from stored import state, stored, write
from torch import nn

N, L, S, E, HEADS = 2, 3, 4, 4, 2
INF = float("inf")


def fill(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)


def attention(name, options, call, widths=(E, E, E), self_attention=False):
    torch.manual_seed(4)
    module = nn.MultiheadAttention(E, HEADS, **options)
    fill(module)
    batch_first = options.get("batch_first", False)
    lengths = [L, S, S]
    inputs = [torch.randn((N, n, w) if batch_first else (n, N, w)) for n, w in zip(lengths, widths)]
    leaves = [x.clone().requires_grad_() for x in (inputs[:1] if self_attention else inputs)]
    output, weights = module(*(leaves * 3 if self_attention else leaves), **call)
    probe = torch.randn_like(output)
    (output * probe).sum().backward()
    return {
        "name": name,
        "options": {"batchFirst": batch_first, "bias": options.get("bias", True), "kdim": widths[1], "vdim": widths[2]},
        "call": {
            "attnMask": call.get("attn_mask") if call.get("attn_mask") is None else mask(call["attn_mask"]),
            "keyPaddingMask": None if call.get("key_padding_mask") is None else mask(call["key_padding_mask"]),
            "needWeights": call.get("need_weights", True),
            "averageAttnWeights": call.get("average_attn_weights", True),
        },
        "state": state(module),
        "inputs": [stored(x) for x in leaves],
        "output": stored(output),
        "weights": None if weights is None else stored(weights),
        "probe": stored(probe),
        "gradInputs": [stored(x.grad) for x in leaves],
        "gradParameters": {key: stored(value.grad) for key, value in module.named_parameters()},
    }


def mask(tensor):
    """JSON has no infinity: -1e30 stands for it in float masks, with the same result after softmax."""
    return stored(torch.where(tensor == -INF, torch.tensor(-1e30), tensor) if tensor.is_floating_point() else tensor)


def layer(name, options, masks):
    torch.manual_seed(6)
    module = nn.TransformerEncoderLayer(E, HEADS, dim_feedforward=5, dropout=0.1, **options).eval()
    fill(module)
    x = torch.randn((N, L, E) if options.get("batch_first") else (L, N, E), requires_grad=True)
    output = module(x, **masks)
    probe = torch.randn_like(output)
    (output * probe).sum().backward()
    renamed = {"batch_first": "batchFirst", "norm_first": "normFirst", "activation": "activation"}
    return {
        "name": name,
        "options": {renamed[key]: value for key, value in options.items()},
        "masks": {"srcMask": mask(masks["src_mask"]) if "src_mask" in masks else None, "srcKeyPaddingMask": mask(masks["src_key_padding_mask"]) if "src_key_padding_mask" in masks else None},
        "state": state(module),
        "input": stored(x),
        "output": stored(output),
        "probe": stored(probe),
        "gradInput": stored(x.grad),
    }


def product(name, options, causal=False, attn_mask=None):
    """1.13 has the function under another name; the arithmetic is spelt out here."""
    torch.manual_seed(8)
    query, key, value = torch.randn(N, HEADS, L, 2), torch.randn(N, HEADS, S, 2), torch.randn(N, HEADS, S, 3)
    scores = query @ key.transpose(-2, -1) * options.get("scale", 2**-0.5)
    if causal:
        scores = scores.masked_fill(~torch.ones(L, S).tril().bool(), -INF)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -INF) if attn_mask.dtype == torch.bool else scores + attn_mask
    return {
        "name": name,
        "options": {**options, "isCausal": causal, "attnMask": None if attn_mask is None else mask(attn_mask)},
        "inputs": [stored(query), stored(key), stored(value)],
        "output": stored(scores.softmax(-1) @ value),
    }


causal = torch.ones(L, S).triu(1).bool()
padding = torch.tensor([[False, False, False, True], [False, False, True, True]])
per_head = torch.randn(N * HEADS, L, S, generator=torch.Generator().manual_seed(1))
square = torch.full((L, L), -INF).triu(1)
attentions = [
    attention("self", {}, {}, self_attention=True),
    attention("self, batch first", {"batch_first": True}, {"average_attn_weights": False}, self_attention=True),
    attention("cross", {"batch_first": True}, {}),
    attention("cross, no bias, no weights", {"bias": False}, {"need_weights": False}),
    attention("cross, widths of keys and values", {"kdim": 3, "vdim": 5, "batch_first": True}, {}, widths=(E, 3, 5)),
    attention("bool mask", {"batch_first": True}, {"attn_mask": causal}),
    attention("float mask", {"batch_first": True}, {"attn_mask": torch.zeros(L, S).masked_fill(causal, -INF) + 0.3}),
    attention("mask per head", {"batch_first": True}, {"attn_mask": per_head, "average_attn_weights": False}),
    attention("padding", {}, {"key_padding_mask": padding}),
    attention("padding and mask", {"batch_first": True}, {"key_padding_mask": padding, "attn_mask": causal}),
    attention("self with mask", {"batch_first": True}, {"attn_mask": square}, self_attention=True),
]
encoders = [
    layer("post-norm", {}, {}),
    layer("pre-norm, gelu", {"norm_first": True, "activation": "gelu", "batch_first": True}, {}),
    layer("masked", {"batch_first": True}, {"src_mask": square, "src_key_padding_mask": padding[:, 1:]}),
]
products = [
    product("plain", {}),
    product("scaled", {"scale": 0.3}),
    product("causal", {}, causal=True),
    product("bool mask", {}, attn_mask=~causal),
    product("float mask", {}, attn_mask=torch.randn(L, S, generator=torch.Generator().manual_seed(2))),
]
write("nn/attention.json", {"attentions": attentions, "encoders": encoders, "products": products})
