"""Writes golden/operators.json: inputs and PyTorch's outputs and gradients for the operator tests.

    /usr/bin/python3 scripts/golden/operators.py        (any Python with torch; the tests only read the JSON)
"""
import json
import os

import torch
import torch.nn.functional as F

torch.manual_seed(20)
CASES = []


def encode(value):
    if isinstance(value, torch.Tensor):
        kept = value.detach()
        flat = kept.to(torch.float64) if kept.is_floating_point() else kept.to(torch.int64)
        return {
            "tensor": [compact(v) for v in flat.flatten().tolist()],
            "shape": list(kept.shape),
            "dtype": str(kept.dtype).replace("torch.", ""),
        }
    if isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value):
        return {"list": [encode(v) for v in value]}
    return value


def compact(value):
    if isinstance(value, float):
        value = float(f"{value:.9g}")
        return int(value) if value.is_integer() else value
    return value


def case(name, args, run, options=None, grad=True):
    """`name` with `args` and `options` is the TypeScript call; `run(*args)` is PyTorch's. Unless `grad` is false, the
    gradients of all floating-point tensors among the arguments are stored, in order."""
    leaves = []

    def leaf(value):
        if isinstance(value, list):
            return [leaf(v) for v in value]
        if not (grad and isinstance(value, torch.Tensor) and value.is_floating_point()):
            return value
        leaves.append(value.clone().requires_grad_())
        return leaves[-1]

    result = run(*[leaf(a) for a in args])
    entry = {"name": name, "args": [encode(a) for a in args], "options": options, "result": encode(result)}
    if leaves:
        output = result[0] if isinstance(result, (tuple, list)) else result
        weight = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
        (output * weight).sum().backward()
        entry["grads"] = [None if one.grad is None else encode(one.grad) for one in leaves]
    CASES.append(entry)


def grid(*shape):
    """Values that six decimals hold exactly enough, without ties."""
    return (torch.randn(*shape) * 1000).round() / 1000 + 0.0001


x, y = grid(3, 4), grid(3, 4)
positive = grid(3, 4).abs() + 0.1
i = torch.tensor([2, 0, 1, 2])

# arithmetic
case("add", [x, y], lambda a, b: torch.add(a, b, alpha=2.5), {"alpha": 2.5})
case("add", [x, 3], lambda a, b: a + b)
case("sub", [x, grid(4)], torch.sub)
case("mul", [x, grid(3, 1)], torch.mul)
case("mul", [x, 0.5], torch.mul)
case("div", [x, positive], torch.div)
case("div", [x, 3], lambda a, b: torch.div(a, b, rounding_mode="floor"), {"roundingMode": "floor"}, grad=False)
case("remainder", [x, -0.7], torch.remainder, grad=False)
case("fmod", [x, 0.7], torch.fmod, grad=False)
case("pow", [positive, 2.5], torch.pow)
case("pow", [2, x], lambda a, b: torch.pow(a, b))
case("pow", [positive, y], torch.pow)
for name in ("neg", "abs", "exp", "sin", "cos", "tanh", "sigmoid", "relu", "erf", "square", "expm1"):
    case(name, [x], getattr(torch, name))
for name in ("sqrt", "rsqrt", "log", "log2", "log1p", "reciprocal"):
    case(name, [positive], getattr(torch, name))
for name in ("floor", "ceil", "round", "trunc", "sign"):
    case(name, [x * 3], getattr(torch, name), grad=False)
case("clamp", [x], lambda a: a.clamp(-0.5, 0.5), {"min": -0.5, "max": 0.5})
case("clampMin", [x, 0.1], torch.clamp_min)
case("maximum", [x, y], torch.maximum)
case("lerp", [x, y, 0.3], torch.lerp)
case("addcmul", [x, y, positive], lambda a, b, c: torch.addcmul(a, b, c, value=0.1), {"value": 0.1})

# comparison
case("ge", [x, 0], torch.ge, grad=False)
case("eq", [i, torch.tensor([2, 1, 1, 2])], torch.eq)
case("logicalNot", [i], torch.logical_not)
case("where", [x > 0, x, y], torch.where)
case("where", [x > 0, 1.5, y], lambda c, a, b: torch.where(c, torch.tensor(a), b))

# reductions
case("sum", [x], torch.sum)
case("sum", [x, 1], lambda a, d: a.sum(d, keepdim=True), {"keepdim": True})
case("mean", [grid(2, 3, 4), [0, 2]], lambda a, d: a.mean(d))
case("std", [x, 1], lambda a, d: a.std(d))
case("var", [x, 0], lambda a, d: a.var(d, unbiased=False), {"correction": 0})
case("prod", [x, 1], lambda a, d: a.prod(d))
case("max", [x], torch.max)
case("maxDim", [x, 1], lambda a, d: tuple(a.max(d)))
case("argmax", [x, 1], torch.argmax, grad=False)
case("amax", [x, [0, 1]], torch.amax)
case("norm", [x, 2, 1], lambda a, p, d: a.norm(p, d, keepdim=True), {"keepdim": True})
case("linalgVectorNorm", [x], lambda a: torch.linalg.vector_norm(a, 3, dim=0), {"ord": 3, "dim": 0})
case("logsumexp", [x, 1], torch.logsumexp)
case("cumsum", [x, 1], torch.cumsum)
case("any", [x > 1, 1], torch.any)
case("histc", [x], lambda a: torch.histc(a, 5, -2, 2), {"bins": 5, "min": -2, "max": 2}, grad=False)
case("cosineSimilarity", [x, y], lambda a, b: F.cosine_similarity(a, b, dim=1), {"dim": 1})

# shape
case("view", [x, [2, -1]], lambda a, s: a.view(s))
case("transpose", [grid(2, 3, 4), 0, 2], torch.transpose)
case("permute", [grid(2, 3, 4), [2, 0, 1]], lambda a, d: a.permute(d))
case("unsqueeze", [x, 1], torch.unsqueeze)
case("expand", [grid(3, 1), [3, 4]], lambda a, s: a.expand(s))
case("narrow", [x, 1, 1, 2], torch.narrow)
case("slice", [x], lambda a: a[:, 0:4:2], {"dim": 1, "start": 0, "end": 4, "step": 2})
case("select", [x, 0, 1], torch.select)
case("cat", [[x, y]], lambda l: torch.cat(l, 1), {"dim": 1})
case("stack", [[x, y]], lambda l: torch.stack(l, 1), {"dim": 1})
case("split", [x, [1, 3]], lambda a, s: torch.split(a, s, 1), {"dim": 1})
case("chunk", [x, 2], lambda a, n: torch.chunk(a, n, 1), {"dim": 1})
case("flip", [x, [0, 1]], lambda a, d: a.flip(d))
case("roll", [x, 1], lambda a, s: a.roll(s, 1), {"dims": 1})
case("unfold", [x, 1, 2, 1], lambda a, d, n, s: a.unfold(d, n, s))
case("repeatInterleave", [x, 2], lambda a, n: a.repeat_interleave(n, 0), {"dim": 0})
case("pad", [x, [1, 2]], lambda a, p: F.pad(a, p, value=0.5), {"value": 0.5})
case("pad", [grid(1, 2, 5), [2, 1]], lambda a, p: F.pad(a, p, mode="reflect"), {"mode": "reflect"})
case("triu", [x], torch.triu)

# indexing
case("indexSelect", [x, 1, i], torch.index_select)
case("gather", [x, 1, torch.tensor([[0, 3], [1, 1], [2, 0]])], torch.gather)
case("index", [x, [torch.tensor([0, 2]), torch.tensor([1, 3])]], lambda a, l: a[l[0], l[1]])
case("scatter", [x, 1, torch.tensor([[0, 1], [2, 3], [1, 0]]), grid(3, 2)], torch.scatter)
case("scatterAdd", [x, 0, torch.tensor([[0, 0, 1, 2]]), grid(1, 4)], torch.scatter_add)
case("maskedFill", [x, y > 0, -1], torch.masked_fill)
case("sort", [x], lambda a: tuple(a.sort(dim=1, descending=True)), {"dim": 1, "descending": True})
case("argsort", [x], lambda a: a.argsort(1), {"dim": 1}, grad=False)
case("topk", [x, 2], lambda a, k: tuple(a.topk(k)))
case("oneHot", [i], lambda a: F.one_hot(a, 4), {"numClasses": 4})
case("nonzero", [i], torch.nonzero)

# matrices
case("matmul", [grid(2, 3, 4), grid(4, 5)], torch.matmul)
case("bmm", [grid(2, 3, 4), grid(2, 4, 2)], torch.bmm)
case("addmm", [grid(5), x, grid(4, 5)], lambda a, b, c: torch.addmm(a, b, c, beta=0.5), {"beta": 0.5})
case("einsum", ["ij,kj->ik", [x, y]], torch.einsum)
case("cdist", [x, y], torch.cdist)

# layers
image, clip = grid(1, 3, 5, 5), grid(1, 2, 3, 4, 4)
case("linear", [x, grid(5, 4)], lambda a, w: F.linear(a, w))
case("conv2d", [image, grid(4, 3, 3, 3)], lambda a, w: F.conv2d(a, w, stride=2, padding=1), {"stride": 2, "padding": 1})
case(
    "conv3d",
    [clip, grid(4, 1, 3, 3, 3)],
    lambda a, w: F.conv3d(a, w, stride=(1, 2, 2), padding=1, groups=2),
    {"stride": [1, 2, 2], "padding": 1, "groups": 2},
)
case("maxPool3d", [clip, [2, 3, 3]], lambda a, k: F.max_pool3d(a, k, stride=2, padding=(1, 1, 1)), {"stride": 2, "padding": 1})
case("avgPool2d", [image, 2], F.avg_pool2d)
case("adaptiveAvgPool3d", [clip, [2, 1, 1]], F.adaptive_avg_pool3d)
case(
    "batchNorm",
    [image, grid(3), grid(3), None, None, True, 0.1, 1e-5, False],
    lambda a, w, b, m, v, t, mo, eps, c: F.batch_norm(a, m, v, w, b, t, mo, eps),
)
case("layerNorm", [x, [4]], lambda a, s: F.layer_norm(a, s))
case("groupNorm", [grid(2, 4, 3), 2], F.group_norm)
case("embedding", [grid(4, 3), i], lambda w, n: F.embedding(n, w))
case("upsampleBilinear2d", [image, [4, 9], False], lambda a, s, c: F.interpolate(a, s, mode="bilinear", align_corners=c))
case("upsampleTrilinear3d", [clip, [2, 3, 7], True], lambda a, s, c: F.interpolate(a, s, mode="trilinear", align_corners=c))
case("upsampleNearest2d", [image, [4, 9]], F.interpolate)
case(
    "gridSampler2d",
    [image, (grid(1, 2, 2, 2) / 3).clamp(-1, 1), 0, 0, False],
    lambda a, g, m, p, c: F.grid_sample(a, g, align_corners=c),
)
case("gelu", [x], F.gelu)
case("softplus", [x], F.softplus)
case("leakyRelu", [x], lambda a: F.leaky_relu(a, 0.2), {"negativeSlope": 0.2})

# losses
labels = torch.tensor([3, 0, 2])
case("softmax", [x, 1], lambda a, d: a.softmax(d))
case("logSoftmax", [x, 1], lambda a, d: a.log_softmax(d))
case("crossEntropyLoss", [x, labels], F.cross_entropy)
case(
    "crossEntropyLoss",
    [x, labels],
    lambda a, t: F.cross_entropy(a, t, reduction="none", label_smoothing=0.1),
    {"reduction": "none", "labelSmoothing": 0.1},
)
case("mseLoss", [x, y], lambda a, b: F.mse_loss(a, b, reduction="sum"), {"reduction": "sum"})
case("klDiv", [x.log_softmax(1), y.softmax(1)], lambda a, b: F.kl_div(a, b, reduction="none"), {"reduction": "none"})
case(
    "binaryCrossEntropyWithLogits", [x, y.sigmoid()], F.binary_cross_entropy_with_logits
)
case("smoothL1Loss", [x, y], lambda a, b: F.smooth_l1_loss(a, b, beta=0.5), {"beta": 0.5})

# further operators, in the order of the operator table
small = grid(3, 4).clamp(-0.9, 0.9)
for name in ("tan", "sinh", "cosh", "exp2"):
    case(name, [small], getattr(torch, name))
for name in ("asin", "acos", "atan", "erfinv"):
    case(name, [small], getattr(torch, name))
for name in ("log10", "lgamma", "digamma"):
    case(name, [positive], getattr(torch, name))
case("frac", [x], torch.frac)
case("atan2", [x, y], torch.atan2)
case("rsub", [x, 2], lambda a, b: b - a)
case("floorDivide", [x, 0.3], torch.floor_divide, grad=False)
case("clampMax", [x, 0.1], torch.clamp_max)
case("minimum", [x, y], torch.minimum)
case("addcdiv", [x, y, positive], lambda a, b, c: torch.addcdiv(a, b, c, value=0.3), {"value": 0.3})
case("lerp", [x, y, positive], torch.lerp)
case("ne", [i, 2], torch.ne)
case("lt", [x, y], torch.lt, grad=False)
case("le", [x, 0], torch.le, grad=False)
case("gt", [x, 0.5], torch.gt, grad=False)
case("logicalAnd", [x > 0, y > 0], torch.logical_and)
case("logicalOr", [x > 0, y > 0], torch.logical_or)
case("logicalXor", [x > 0, y > 0], torch.logical_xor)
case("bitwiseAnd", [i, 3], torch.bitwise_and)
case("bitwiseOr", [i, i + 1], torch.bitwise_or)
case("bitwiseNot", [i], torch.bitwise_not)
case("varMean", [x, 1], lambda a, d: tuple(torch.var_mean(a, d)))
case("stdMean", [x, [0, 1]], lambda a, d: tuple(torch.std_mean(a, d, unbiased=False)), {"correction": 0})
case("min", [x], torch.min)
case("minDim", [x, 0], lambda a, d: tuple(a.min(d)))
case("amin", [x, 1], torch.amin)
case("aminmax", [x], lambda a: tuple(torch.aminmax(a, dim=1)), {"dim": 1}, grad=False)
case("argmin", [x, 0], torch.argmin, grad=False)
case("all", [x > -1, 1], torch.all)
case("cumprod", [x, 0], torch.cumprod)
case("diff", [x], lambda a: torch.diff(a, dim=1), {"dim": 1})
case("median", [grid(5)], torch.median)
case("medianDim", [grid(3, 5), 1], lambda a, d: tuple(a.median(d)))
case("quantile", [x, 0.3], lambda a, q: torch.quantile(a, q, dim=1), {"dim": 1})
case("countNonzero", [i], lambda a: torch.count_nonzero(a, 0), {"dim": 0})
case("bincount", [i], lambda a: torch.bincount(a, minlength=4), {"minlength": 4})
case("bucketize", [x, torch.tensor([-1.0, 0.0, 1.0])], torch.bucketize, grad=False)
case("searchsorted", [torch.tensor([-1.0, 0.0, 1.0]), x], torch.searchsorted, grad=False)
case("pairwiseDistance", [x, y], F.pairwise_distance)
case("dist", [x, y], lambda a, b: torch.dist(a, b, 3), {"p": 3})
case("kthvalue", [x, 2], lambda a, k: tuple(a.kthvalue(k, 1)), {"dim": 1})
case("reshape", [grid(2, 3, 2), [3, -1]], torch.reshape)
case("flatten", [grid(2, 3, 2)], lambda a: a.flatten(1), {"startDim": 1})
case("unflatten", [x, 1, [2, -1]], lambda a, d, s: a.unflatten(d, s))
case("movedim", [grid(2, 3, 4), 0, 2], torch.movedim)
case("t", [x], torch.t)
case("squeeze", [grid(2, 1, 3), 1], torch.squeeze)
case("expandAs", [grid(1, 4), x], lambda a, b: a.expand_as(b), grad=False)
case("broadcastTo", [grid(4), [3, 4]], torch.broadcast_to)
case("repeat", [x, [2, 1]], lambda a, r: a.repeat(r))
case("tile", [x, [2]], torch.tile)
case("unbind", [x], lambda a: torch.unbind(a, 1), {"dim": 1})
case("im2col", [grid(1, 2, 4, 4), 2, 1, 0, 2], lambda a, k, d, p, s: F.unfold(a, k, d, p, s))
case("fliplr", [x], torch.fliplr)
case("rot90", [x], lambda a: torch.rot90(a, 1, [0, 1]), {"k": 1, "dims": [0, 1]})
case("tril", [x], lambda a: a.tril(-1), {"diagonal": -1})
case("diag", [x[:, 0].clone()], torch.diag)
case("diagonal", [x], lambda a: a.diagonal(1), {"offset": 1})
case("diagEmbed", [x], torch.diag_embed)
case("meshgrid", [[x[0].clone(), x[:, 0].clone()]], lambda l: torch.meshgrid(*l, indexing="ij"), {"indexing": "ij"})
case("indexAdd", [x, 0, torch.tensor([0, 0]), grid(2, 4)], torch.index_add)
case("indexCopy", [x, 0, torch.tensor([2, 0]), grid(2, 4)], torch.index_copy)
case("indexFill", [x, 1, torch.tensor([1, 2]), 0.5], torch.index_fill)
case("indexPut", [x, [torch.tensor([0, 2]), torch.tensor([1, 3])], grid(2)], lambda a, l, v: a.index_put((l[0], l[1]), v))
case("takeAlongDim", [x, torch.tensor([[0, 3], [1, 1], [2, 0]])], lambda a, j: torch.take_along_dim(a, j, 1), {"dim": 1})
case("take", [x, i], torch.take)
case("maskedSelect", [x, y > 0], torch.masked_select)
case("maskedScatter", [x, y > 0, grid(12)], torch.masked_scatter)
case("tensordot", [grid(2, 3, 4), grid(4, 3), [1, 2], [1, 0]], lambda a, b, m, n: torch.tensordot(a, b, (m, n)))
case("mm", [x, grid(4, 2)], torch.mm)
case("mv", [x, grid(4)], torch.mv)
case("dot", [grid(4), grid(4)], torch.dot)
case("outer", [grid(3), grid(2)], torch.outer)
case("addmv", [grid(3), x, grid(4)], torch.addmv)
case("baddbmm", [grid(2, 3, 2), grid(2, 3, 4), grid(2, 4, 2)], lambda a, b, c: torch.baddbmm(a, b, c, alpha=0.5), {"alpha": 0.5})
square = grid(3, 3) + 3 * torch.eye(3)
symmetric = square @ square.t()
case("linalgInv", [square], torch.linalg.inv)
case("linalgSolve", [square, grid(3, 2)], torch.linalg.solve)
case("linalgDet", [square], torch.linalg.det)
case("linalgCholesky", [symmetric], torch.linalg.cholesky)
case("kron", [grid(2, 2), grid(1, 3)], torch.kron)
case("cross", [grid(2, 3), grid(2, 3)], lambda a, b: torch.cross(a, b, dim=1), {"dim": 1})
case("trace", [square], torch.trace)
for name in ("relu6", "selu", "celu", "silu", "mish", "hardswish", "hardsigmoid"):
    case(name, [x * 2], getattr(F, name))
case("elu", [x], lambda a: F.elu(a, 0.7), {"alpha": 0.7})
case("hardtanh", [x], lambda a: F.hardtanh(a, -0.5, 0.8), {"minVal": -0.5, "maxVal": 0.8})
case("logSigmoid", [x], F.logsigmoid)
case("glu", [x], F.glu)
case("prelu", [x, torch.tensor([0.3])], F.prelu)
case("bilinear", [x, grid(3, 2), grid(2, 4, 2)], F.bilinear)
line = grid(2, 3, 7)
case("conv1d", [line, grid(4, 3, 3)], lambda a, w: F.conv1d(a, w, padding=1), {"padding": 1})
case("convTranspose2d", [image[:1, :, :3, :3].clone(), grid(3, 2, 3, 3)], lambda a, w: F.conv_transpose2d(a, w, stride=2), {"stride": 2})
case("instanceNorm", [image, None, None, None, None, True, 0.1, 1e-5, False], lambda a, w, b, m, v, u, mo, e, c: F.instance_norm(a, eps=e))
case("maxPool2d", [image, 2], F.max_pool2d)
case("avgPool3d", [clip, 2], F.avg_pool3d)
case("adaptiveAvgPool2d", [image, 2], F.adaptive_avg_pool2d)
case("adaptiveMaxPool2d", [image, 4], lambda a, s: F.adaptive_max_pool2d(a, s, return_indices=True))
case("constantPadNd", [x, [1, 0]], F.pad)
case("upsampleLinear1d", [line, 4, False], lambda a, s, c: F.interpolate(a, s, mode="linear", align_corners=c))
case("upsampleBicubic2d", [image[:1, :1].clone(), [4, 9], False], lambda a, s, c: F.interpolate(a, s, mode="bicubic", align_corners=c))
case("upsampleNearest3d", [clip, [2, 3, 7]], F.interpolate)
case("affineGridGenerator", [grid(1, 2, 3), [1, 1, 3, 2], False], F.affine_grid)
case("pixelShuffle", [grid(1, 4, 2, 2), 2], F.pixel_shuffle)
case("channelShuffle", [grid(1, 4, 2, 2), 2], F.channel_shuffle, grad=False)
case("nllLossNd", [x.log_softmax(1), labels], F.nll_loss)
case("binaryCrossEntropy", [x.sigmoid(), y.sigmoid()], F.binary_cross_entropy, grad=False)
case("l1Loss", [x, y], F.l1_loss)
case("huberLoss", [x, y], F.huber_loss)
sides = torch.tensor([1, -1, 1])
case("cosineEmbeddingLoss", [x, y, sides], F.cosine_embedding_loss)
case("marginRankingLoss", [grid(3), grid(3), sides], lambda a, b, s: F.margin_ranking_loss(a, b, s, margin=0.2), {"margin": 0.2})
case("tripletMarginLoss", [x, y, grid(3, 4)], F.triplet_margin_loss)
case("softMarginLoss", [x, (y > 0) * 2.0 - 1], F.soft_margin_loss, grad=False)
case("fullLike", [x, 2.5], torch.full_like, grad=False)
case("newZeros", [x, [2, 1]], lambda a, s: a.new_zeros(s), grad=False)

# printing
third = torch.arange(1, 25).reshape(2, 3, 4) / 3
PRINTED = [
    x,
    third,
    torch.arange(3000).reshape(3, 1000),
    torch.arange(2000.0),
    torch.zeros(2, 3),
    torch.tensor([1.0, -0.0, 12.0]),
    torch.tensor([0.5, float("nan"), float("inf"), -float("inf")]),
    torch.tensor([1e-6, 1.0, 2e5]),
    torch.tensor([0.03125, 0.09375, 0.15625]),
    torch.tensor([1e9, 2.0]),
    torch.tensor(3.5),
    torch.tensor([True, False]),
    torch.tensor([[1, -20], [300, 4]], dtype=torch.int32),
    torch.tensor([], dtype=torch.int64),
    torch.zeros(0, 3),
    torch.tensor([1.5, 2.25], dtype=torch.float64),
    torch.linspace(0, 1, 40),
]
printed = [{"value": {**encode(p), "tensor": [str(v) for v in p.flatten().tolist()]}, "text": repr(p)} for p in PRINTED]

path = os.path.join(os.path.dirname(__file__), "../../golden/operators.json")
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as file:
    json.dump({"torch": torch.__version__, "cases": CASES, "printed": printed}, file, separators=(",", ":"))
print(len(CASES), "cases,", len(printed), "printed")
