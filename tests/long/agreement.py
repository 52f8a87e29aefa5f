"""agreement: what Glia computes against what PyTorch does: value, gradient and gradient of the gradient of a weighted sum.

In: the program glia. A table of functions, each written for both, and of inputs. Out: a line for each case that differs
by more than 1e-9 of its size, and the counts. Everything in f64; ties and kinks, where conventions differ, are not
among the inputs."""
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
rng = np.random.default_rng(1)
WEIGHTS = np.cos(np.linspace(1, 30, 4000))

SHAPES = {"vector": [(5,), (1,)], "matrix": [(3, 4), (1, 5)], "any": [(5,), (3, 4), (2, 3, 2)], "square": [(3, 3), (2, 2)],
          "batch": [(3, 3), (2, 3, 3)], "image": [(2, 2, 6, 6), (1, 2, 5, 7)], "signal": [(2, 2, 7)], "even": [(4, 6)]}
RANGES = {"any": (-2, 2), "positive": (0.3, 2.5), "unit": (-0.9, 0.9), "above": (1.2, 3)}


def table():
    """(Glia, torch, shapes, range)"""
    same = "exp expm1 sin cos tan sinh cosh tanh asinh atan erf erfc sigmoid square relu"
    for name in same.split():
        yield f"{name}(x)", getattr(torch, name), "any", "unit" if name == "tan" else "any"
    for name in "sqrt rsqrt log log1p log2 log10 lgamma".split():
        yield f"{name}(x)", getattr(torch, name), "any", "positive"
    for name in "asin acos atanh".split():
        yield f"{name}(x)", getattr(torch, name), "any", "unit"
    yield "acosh(x)", torch.acosh, "any", "above"
    yield "recip(x)", torch.reciprocal, "any", "positive"
    yield "abs(x)", absolute, "any", "any"
    yield "-x", torch.neg, "any", "any"
    yield "x^3", lambda x: x**3, "any", "any"
    yield "x^2.5", lambda x: x**2.5, "any", "positive"
    yield "2^x", lambda x: 2**x, "any", "any"
    yield "x^x", lambda x: x**x, "any", "positive"
    yield "x / (1 + x^2)", lambda x: x / (1 + x**2), "any", "any"
    yield "x % 0.7", lambda x: torch.remainder(x, 0.7), "any", "any"
    yield "atan2(x, 0.5)", lambda x: torch.atan2(x, torch.tensor(0.5)), "any", "any"
    yield "atan2(0.5, x)", lambda x: torch.atan2(torch.tensor(0.5), x), "any", "any"
    yield "hypot(x, 0.5)", lambda x: torch.hypot(x, torch.full_like(x, 0.5)), "any", "any"
    yield "logaddexp(x, 2 * x)", lambda x: torch.logaddexp(x, 2 * x), "any", "any"
    yield "xlogy(x, x)", lambda x: torch.xlogy(x, x), "any", "positive"
    yield "max(x, 0.25) * min(x, 0.5)", lambda x: x.clamp(min=0.25) * x.clamp(max=0.5), "any", "any"
    yield "clamp(x, -1, 1)^2", lambda x: x.clamp(-1, 1)**2, "any", "any"
    yield "where(x > 0, x^2, x^3)", lambda x: torch.where(x > 0, x**2, x**3), "any", "any"
    for ours, theirs in [("logsigmoid", F.logsigmoid), ("leaky_relu", F.leaky_relu), ("elu", F.elu), ("selu", F.selu),
                         ("celu", F.celu), ("gelu", F.gelu), ("silu", F.silu), ("mish", F.mish), ("softplus", F.softplus),
                         ("softsign", F.softsign), ("hardtanh", F.hardtanh), ("hardsigmoid", lambda x: (x / 6 + 0.5).clamp(0, 1)),
                         ("hardswish", F.hardswish), ("relu6", F.relu6), ("tanhshrink", F.tanhshrink)]:
        yield f"{ours}(x)", theirs, "any", "any"
    yield "gelu(x, approximate = true)", lambda x: F.gelu(x, approximate="tanh"), "any", "any"
    yield "softmax(x)", lambda x: F.softmax(x, -1), "any", "any"
    yield "log_softmax(x)", lambda x: F.log_softmax(x, -1), "any", "any"
    yield "softmax(x, axis = 0)", lambda x: F.softmax(x, 0), "matrix", "any"
    yield "glu(x)", F.glu, "even", "any"
    for axis, dim in [("", None), (", axis = 0", 0), (", axis = 1", 1), (", axis = -1, keep = true", -1)]:
        keep = "keep" in axis
        for ours, theirs in [("sum", torch.sum), ("mean", torch.mean), ("logsumexp", torch.logsumexp), ("norm", torch.norm)]:
            d = (0, 1) if dim is None else dim
            yield (f"{ours}(x^2 + x{axis})" if ours != "norm" else f"norm(x{axis})",
                   lambda x, f=theirs, d=d, k=keep: f(x**2 + x if f is not torch.norm else x, dim=d, keepdim=k), "matrix", "any")
        d = (0, 1) if dim is None else dim
        yield f"max(x{axis})^2", lambda x, d=d, k=keep: torch.amax(x, d, keepdim=k)**2, "matrix", "any"
        yield f"min(x{axis})^2", lambda x, d=d, k=keep: torch.amin(x, d, keepdim=k)**2, "matrix", "any"
        yield f"variance(x{axis})", lambda x, d=d, k=keep: torch.var(x, d, unbiased=False, keepdim=k), "matrix", "any"
        if dim is not None:
            yield f"prod(x{axis})", lambda x, d=dim, k=keep: torch.prod(x, d, keepdim=k), "matrix", "any"
    yield "std(x, correction = 1)", lambda x: torch.std(x), "matrix", "any"
    yield "prod(x)", torch.prod, "vector", "any"
    yield "cumsum(x, axis = 0)^2", lambda x: torch.cumsum(x, 0)**2, "matrix", "any"
    yield "cumprod(x, axis = -1)", lambda x: torch.cumprod(x, -1), "matrix", "any"
    yield "sort(x)^2", lambda x: torch.sort(x)[0]**2, "matrix", "any"
    yield "quantile(x, 0.3)^2", lambda x: torch.quantile(x, 0.3)**2, "vector", "any"
    yield "x' @ x", lambda x: x.T @ x, "matrix", "any"
    yield "x @ x @ x", lambda x: x @ x @ x, "batch", "any"
    yield 'einsum("i j, k j -> i k", x, x^2)', lambda x: torch.einsum("ij,kj->ik", x, x**2), "matrix", "any"
    yield "outer(x, x^2)", lambda x: torch.outer(x, x**2), "vector", "any"
    yield "flip(x)^2 * x", lambda x: torch.flip(x, list(range(x.dim())))**2 * x, "any", "any"
    yield "roll(x, 1, axis = 0)^2 * x", lambda x: torch.roll(x, 1, 0)**2 * x, "any", "any"
    yield "tile(x, [2, 2])^2", lambda x: torch.tile(x, (2, 2))**2, "matrix", "any"
    yield "repeat(x, 2, axis = 0)^3", lambda x: torch.repeat_interleave(x, 2, 0)**3, "any", "any"
    yield "pad(x, 1)^2", lambda x: F.pad(x, (1, 1, 1, 1))**2, "matrix", "any"
    yield "concat((x, x^2, sin(x)), axis = 0)^2", lambda x: torch.cat((x, x**2, torch.sin(x)))**2, "any", "any"
    yield "stack([x, x^3])^2", lambda x: torch.stack([x, x**3])**2, "any", "any"
    yield "tril(x)^2 + triu(x, k = 1)^3", lambda x: torch.tril(x)**2 + torch.triu(x, 1)**3, "square", "any"
    yield "trace_of(x @ x)", lambda x: torch.trace(x @ x), "square", "any"
    yield "x[::2]^3", lambda x: x[::2]**3, "any", "any"
    yield "x[[0, -1, 0]]^3", lambda x: x[[0, -1, 0]]**3, "any", "any"
    yield "gather(x, [1, 0, 1], axis = 1)^3", lambda x: torch.index_select(x, 1, torch.tensor([1, 0, 1]))**3, "matrix", "any"
    yield "scatter_add(x^2, [0, 0], [x[0], x[0]])^2", lambda x: torch.index_add(x**2, 0, torch.tensor([0, 0]), torch.stack([x[0], x[0]]))**2, "matrix", "any"
    eye = lambda x: torch.eye(x.shape[-1])
    i = "unit(shape(x)[-1])"
    yield f"inv(x + 4 * {i})", lambda x: torch.linalg.inv(x + 4 * eye(x)), "batch", "any"
    yield f"solve(x + 4 * {i}, x)", lambda x: torch.linalg.solve(x + 4 * eye(x), x), "batch", "any"
    yield f"det(x + 3 * {i})", lambda x: torch.linalg.det(x + 3 * eye(x)), "batch", "any"
    yield f"logdet(x + 4 * {i})", lambda x: torch.logdet(x + 4 * eye(x)), "batch", "any"
    yield f"cholesky(x @ x' + {i})", lambda x: torch.linalg.cholesky(x @ x.mT + eye(x)), "batch", "any"
    yield f"triangular_solve(x + 4 * {i}, x)", lambda x: torch.linalg.solve_triangular(x + 4 * eye(x), x, upper=False), "batch", "any"
    yield "eigh(x + x')[0]^3", lambda x: torch.linalg.eigvalsh(x + x.mT)**3, "square", "any"
    yield "svd(x)[1]^3", lambda x: torch.linalg.svdvals(x)**3, "square", "any"
    yield f"abs(qr(x + 3 * {i})[1])", lambda x: torch.linalg.qr(x + 3 * eye(x))[1].abs(), "square", "any"
    k = "reshape(w[:16], [2, 2, 2, 2])"
    kt = lambda *s: torch.tensor(WEIGHTS[:int(np.prod(s))].reshape(s))
    for args, kw in [("", {}), (", padding = 1", {"padding": 1}), (", stride = 2", {"stride": 2}), (", dilation = 2", {"dilation": 2}),
                     (", stride = (1, 2), padding = (2, 1)", {"stride": (1, 2), "padding": (2, 1)})]:
        yield f"conv2d(x, {k}{args})^2", lambda x, kw=kw: F.conv2d(x, kt(2, 2, 2, 2), **kw)**2, "image", "any"
    yield f"conv2d(x, {k}[:, :1], groups = 2)^2", lambda x: F.conv2d(x, kt(2, 2, 2, 2)[:, :1], groups=2)**2, "image", "any"
    yield f"conv_transpose2d(x, {k}, stride = 2)^2", lambda x: F.conv_transpose2d(x, kt(2, 2, 2, 2), stride=2)**2, "image", "any"
    yield "conv1d(x, reshape(w[:12], [2, 2, 3]), padding = 1)^2", lambda x: F.conv1d(x, kt(2, 2, 3), padding=1)**2, "signal", "any"
    yield "conv2d(reshape(w[:36], [1, 1, 6, 6]), x[:1, :1])^2", lambda x: F.conv2d(kt(1, 1, 6, 6), x[:1, :1])**2, "small", "any"
    yield "max_pool2d(x, 2)^3", lambda x: F.max_pool2d(x, 2)**3, "image", "any"
    yield "avg_pool2d(x, 2)^3", lambda x: F.avg_pool2d(x, 2)**3, "image", "any"
    yield "unfold(x, 2)^2", lambda x: F.unfold(x, 2)**2, "image", "any"
    t = "reshape(w[:size(x)], shape(x))"
    tt = lambda x: torch.tensor(WEIGHTS[:x.numel()].reshape(x.shape))
    for ours, theirs in [("mse", F.mse_loss), ("mae", absolute_loss), ("huber", F.huber_loss), ("smooth_l1", F.smooth_l1_loss)]:
        for r in ["mean", "sum", "none"]:
            yield f'{ours}(x, {t}, reduction = "{r}")', lambda x, f=theirs, r=r: f(x, tt(x), reduction=r), "any", "any"
    yield f"bce_logits(x, {t}^2)", lambda x: F.binary_cross_entropy_with_logits(x, tt(x)**2), "any", "any"
    yield f"binary_cross_entropy(sigmoid(x), {t}^2)", lambda x: F.binary_cross_entropy(torch.sigmoid(x), tt(x)**2), "any", "any"
    yield "cross_entropy(x, range(shape(x)[0]))", lambda x: F.cross_entropy(x, torch.arange(x.shape[0])), "matrix", "any"
    yield "fold(fn (s, r) = tanh(s * r + 0.5), x[0], x)", lambda x: steps(x), "any", "any"
    yield "scan(fn (s, r) = s * r + r^2, x[0], x)", lambda x: torch.stack(all_steps(x)), "any", "any"


SHAPES["small"] = [(1, 1, 3, 3)]


def absolute(x):
    """torch.abs has numbers of no meaning for its second derivative in 1.13, where it is 0."""
    return torch.where(x > 0, x, -x)


def absolute_loss(x, y, reduction):
    d = absolute(x - y)
    return d if reduction == "none" else getattr(d, reduction)()


def steps(x):
    s = x[0]
    for r in x:
        s = torch.tanh(s * r + 0.5)
    return s


def all_steps(x):
    s, out = x[0], []
    for r in x:
        s = s * r + r**2
        out.append(s)
    return out


def weigh(y):
    return (y.reshape(-1) * torch.tensor(WEIGHTS[:y.numel()])).sum()


def theirs(f, x):
    x = torch.tensor(x, requires_grad=True)
    value = weigh(f(x))
    g, = torch.autograd.grad(value, x, create_graph=True)
    try:
        h = torch.autograd.grad(weigh(g), x, allow_unused=True)[0] if g.requires_grad else None
    except RuntimeError as why:              # it has none
        print("   ", why)
        return [v.detach().numpy().reshape(-1) for v in (value, g)]
    h = torch.zeros_like(x) if h is None else h
    return [v.detach().numpy().reshape(-1) for v in (value, g, h)]


def main():
    np.save("w.npy", WEIGHTS)
    cases, text = [], ['let w = npy("w.npy")', "fn weigh(y) = sum(reshape(y, [size(y)]) * w[:size(y)])",
                       "fn unit(n) = f64(eye(n))"]
    functions = 0
    for ours, f, shapes, values in table():
        functions += 1
        for shape in SHAPES[shapes]:
            for draw in range(2):
                if "axis = 1" in ours and len(shape) < 2:
                    continue
                k, (low, high) = len(cases), RANGES[values]
                x = rng.uniform(low, high, shape)
                np.save(f"x{k}.npy", x)
                cases.append((ours, f, x))
                text += [f"fn case{k}(x) = {ours}", f'let x{k} = npy("x{k}.npy")', f"let g{k} = grad(fn (x) = weigh(case{k}(x)))(x{k})",
                         f"let h{k} = grad(fn (x) = weigh(grad(fn (x) = weigh(case{k}(x)))(x)))(x{k})",
                         f'to_npy("y{k}.npy", concat((reshape(weigh(case{k}(x{k})), [1]), reshape(g{k}, [size(g{k})]), reshape(h{k}, [size(h{k})]))))']
    with open("all.nn", "w") as to:
        to.write("\n".join(text) + "\n")
    done = subprocess.run([sys.argv[1], "--quiet", "all.nn"], capture_output=True, text=True)
    if done.returncode:
        print("not ok torch: glia does not run it\n" + done.stderr[:2000])
        return 1
    bad = numbers = 0
    for k, (ours, f, x) in enumerate(cases):
        got, at = np.load(f"y{k}.npy").reshape(-1), 0
        for what, want in zip(("value", "gradient", "second derivative"), theirs(f, x)):
            part = got[at:at + want.size]
            at += want.size
            numbers += want.size
            error = np.max(np.abs(part - want)) / (1 + np.max(np.abs(want)))
            if not error <= 1e-9:
                bad += 1
                print(f"not ok {ours}, {list(x.shape)}: {what} differs by {error:.3g}: {part[:4]}, not {want[:4]}")
    print(f"torch {torch.__version__}: {functions} functions, {len(cases)} cases, {3 * len(cases)} comparisons of {numbers} numbers, {bad} differ")
    return bad > 0


sys.exit(main())
