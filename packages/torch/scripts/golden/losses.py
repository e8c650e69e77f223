"""Writes golden/nn/losses.json: PyTorch's losses with their gradients, for the tests of src/nn.

Run with a Python that has torch (1.13 or newer): python3 scripts/golden/losses.py
"""

import torch
import torch.nn.functional as F
from stored import stored, write

CASES = []


def case(name, function, inputs, **options):
    """`function(*inputs, **options)`; the gradient is that of the first input, of the sum of the losses."""
    first = inputs[0].clone().requires_grad_()
    loss = function(first, *inputs[1:], **options)
    loss.sum().backward()
    CASES.append(
        {
            "name": name,
            "inputs": [stored(tensor) for tensor in inputs],
            "options": {camel(key): stored(value) if isinstance(value, torch.Tensor) else value for key, value in options.items()},
            "loss": stored(loss),
            "gradient": stored(first.grad),
        }
    )


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


torch.manual_seed(11)
logits, dense = torch.randn(4, 3), torch.randn(2, 3, 2, 2)
indices, dense_indices = torch.tensor([0, 2, 1, 2]), torch.tensor([[[0, 2], [1, -1]], [[1, 1], [-1, 0]]])
soft = torch.rand(4, 3).softmax(1)
weight = torch.tensor([0.2, 1.0, 3.0])
x, y = torch.randn(3, 4), torch.randn(3, 4)

case("crossEntropy", F.cross_entropy, [logits, indices])
case("crossEntropy", F.cross_entropy, [logits, indices], reduction="none")
case("crossEntropy", F.cross_entropy, [logits, indices], weight=weight, reduction="sum")
case("crossEntropy", F.cross_entropy, [logits, indices], weight=weight, label_smoothing=0.2)
case("crossEntropy", F.cross_entropy, [logits, indices], label_smoothing=0.1)
case("crossEntropy", F.cross_entropy, [logits, indices], ignore_index=2)
case("crossEntropy", F.cross_entropy, [dense, dense_indices], ignore_index=-1)
case("crossEntropy", F.cross_entropy, [logits, soft])
case("crossEntropy", F.cross_entropy, [logits, soft], weight=weight, label_smoothing=0.3)
case("crossEntropy", F.cross_entropy, [logits, soft], reduction="none")
case("nllLoss", F.nll_loss, [logits.log_softmax(1), indices], weight=weight)
case("nllLoss", F.nll_loss, [logits.log_softmax(1), indices], ignore_index=0, reduction="sum")
case("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [x, y.sigmoid()])
case("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [x * 50, (y > 0).float()], pos_weight=torch.tensor([1.0, 2.0, 0.5, 3.0]))
case("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [x, (y > 0).float()], weight=torch.tensor([[1.0], [0.0], [2.0]]), reduction="sum")
case("mseLoss", F.mse_loss, [x, y])
case("mseLoss", F.mse_loss, [x, y], reduction="none")
case("l1Loss", F.l1_loss, [x, y])
case("l1Loss", F.l1_loss, [x, y], reduction="sum")
case("smoothL1Loss", F.smooth_l1_loss, [x, y])
case("smoothL1Loss", F.smooth_l1_loss, [x, y], beta=0.3, reduction="none")
case("huberLoss", F.huber_loss, [x, y], delta=0.5)
case("klDiv", F.kl_div, [x.log_softmax(1), y.softmax(1)])
case("klDiv", F.kl_div, [x.log_softmax(1), y.softmax(1)], reduction="batchmean")
case("klDiv", F.kl_div, [x.log_softmax(1), y.log_softmax(1)], reduction="batchmean", log_target=True)
case("klDiv", F.kl_div, [x.log_softmax(1), y.softmax(1)], reduction="none")
case("cosineSimilarity", F.cosine_similarity, [x, y])
case("cosineSimilarity", F.cosine_similarity, [x, y], dim=0, eps=1.0)
case("cosineEmbeddingLoss", F.cosine_embedding_loss, [x, y, torch.tensor([1, -1, 1])])
case("cosineEmbeddingLoss", F.cosine_embedding_loss, [x, y, torch.tensor([-1, -1, 1])], margin=0.2, reduction="none")

write("nn/losses.json", {"cases": CASES})
