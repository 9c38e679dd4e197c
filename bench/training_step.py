"""One training step of the RGCN in PyTorch on the CPU: the opponent of training-step.ts, which writes FOLDER and starts this.

    python training_step.py FOLDER THREADS STEPS

Prints a JSON object: losses before each step, milliseconds of each, peak resident memory, and which way of writing the layer was
the fastest here, for there are several and each is tried.
"""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

folder = Path(sys.argv[1])
threads, steps = int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
# That sparse matrices are a beta.
warnings.filterwarnings("ignore", category=UserWarning)
meta = json.loads((folder / "meta.json").read_text())
entities, relations, d, bases = (meta[name] for name in ("entities", "relations", "dimensions", "bases"))


def floats(name, *shape):
    return torch.from_numpy(np.fromfile(folder / f"{name}.f32", dtype=np.float32)).reshape(shape)


def ints(name):
    return torch.from_numpy(np.fromfile(folder / f"{name}.i32", dtype=np.int32).astype(np.int64))


# Messages pass along each link and against it, as relations of their own; a pair is a destination and a message relation.
start, end, relation = ints("from"), ints("to"), ints("relation")
source = torch.cat([start, end])
destination = torch.cat([end, start])
message = torch.cat([relation, relation + relations])
key = message * entities + destination
order = torch.argsort(key)
source = source[order]
pairs, pair_of, counts = torch.unique_consecutive(key[order], return_inverse=True, return_counts=True)
pair_message, pair_destination = pairs // entities, pairs % entities
per_message = torch.bincount(pair_message, minlength=2 * relations).tolist()
share = (1 / counts.float()).unsqueeze(1)
mean_matrix = torch.sparse_csr_tensor(
    torch.cat([torch.zeros(1, dtype=torch.int64), torch.cumsum(counts, 0)]),
    source,
    share.squeeze(1)[pair_of],
    (len(pairs), entities),
)


def means_by_index(rows):
    return torch.zeros(len(pairs), d).index_add(0, pair_of, rows[source]) * share


def means_by_sparse_product(rows):
    return torch.sparse.mm(mean_matrix, rows)


def by_relation(means, basis, coefficients):
    """One product for each message relation, over all of its pairs."""
    matrices = (coefficients @ basis.reshape(bases, d * d)).reshape(-1, d, d)
    parts = [part @ matrix for part, matrix in zip(torch.split(means, per_message), matrices)]
    return torch.zeros(entities, d).index_add(0, pair_destination, torch.cat(parts))


def by_basis(means, basis, coefficients):
    """Pairs are summed by basis first; then there is one product for each basis."""
    out = 0
    for b in range(bases):
        weighted = means * coefficients[pair_message, b].unsqueeze(1)
        out = out + torch.zeros(entities, d).index_add(0, pair_destination, weighted) @ basis[b]
    return out


batch_from, batch_relation, batch_to = ints("batchFrom"), ints("batchRelation"), ints("batchTo")
label, weight = floats("label", -1), floats("weight", -1)


def parameters():
    shapes = {
        "input": (entities, d),
        "basis1": (bases, d, d),
        "coefficients1": (2 * relations, bases),
        "self1": (d, d),
        "bias1": (d,),
        "basis2": (bases, d, d),
        "coefficients2": (2 * relations, bases),
        "self2": (d, d),
        "bias2": (d,),
        "decoder": (relations, d),
    }
    return {name: floats(name, *shape).clone().requires_grad_() for name, shape in shapes.items()}


def run(means, combine, count):
    p = parameters()
    optimiser = torch.optim.Adam(p.values(), lr=meta["learningRate"], fused=True)
    losses, times = [], []
    for step in range(1, count + 1):
        begin = time.perf_counter()
        # The guard against division by zero stands beside the uncorrected moment here: the same numbers, but for a factor.
        optimiser.param_groups[0]["eps"] = 1e-8 / (1 - 0.999**step) ** 0.5
        optimiser.zero_grad(set_to_none=True)
        h = combine(means(p["input"]), p["basis1"], p["coefficients1"]) + p["input"] @ p["self1"] + p["bias1"]
        h = torch.relu(h)
        z = combine(means(h), p["basis2"], p["coefficients2"]) + h @ p["self2"] + p["bias2"]
        logits = (z[batch_from] * p["decoder"][batch_relation] * z[batch_to]).sum(1)
        loss = binary_cross_entropy_with_logits(logits, label, weight)
        loss = loss + meta["l2"] * (z.square().mean() + p["decoder"].square().mean())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), meta["clipNorm"])
        optimiser.step()
        times.append(1000 * (time.perf_counter() - begin))
        losses.append(loss.item())
    return losses, times


ways = {
    f"{means.__name__} {combine.__name__}": (means, combine)
    for means in (means_by_index, means_by_sparse_product)
    for combine in (by_relation, by_basis)
}
tried = {name: min(run(*way, 3)[1]) for name, way in ways.items()}
fastest = min(tried, key=tried.get)
losses, times = run(*ways[fastest], steps)
print(
    json.dumps(
        {
            "losses": losses,
            "ms": times,
            "rssMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "tried": tried,
            "way": fastest,
            "version": torch.__version__,
        }
    )
)
