"""Writes gradbench.nn: what the scripts of bench/gradbench must give for small inputs, computed here in other ways:
NumPy's and PyTorch's own functions, rotations by matrix exponentials, closed forms; derivatives by PyTorch, in f64.
Inputs are waves, which both sides make. `python3 gradbench.py > gradbench.nn`; it needs PyTorch, which `make check`
does not."""
import numpy as np
import torch

torch.set_default_dtype(torch.float64)


def wave(step, *shape):
    return torch.from_numpy(np.sin(np.arange(1, 1 + int(np.prod(shape))) * step)).reshape(shape)


def numbers(x):
    if isinstance(x, (tuple, list)):
        return "(" + ", ".join(numbers(y) for y in x) + ")"
    x = np.asarray(x.detach() if torch.is_tensor(x) else x)
    if x.ndim:
        return "[" + ", ".join(numbers(y) for y in x) + "]"
    return repr(int(x)) if x.dtype.kind == "i" else "%.13g" % float(x)


def grads(f, *x):
    x = [v.clone().requires_grad_() for v in x]
    return torch.autograd.grad(f(*x), x)


print("""# Made by gradbench.py: what the scripts of bench/gradbench must give, computed in another way.
import "../../bench/gradbench/hello.nn" as hello
import "../../bench/gradbench/det.nn" as det
import "../../bench/gradbench/lse.nn" as lse
import "../../bench/gradbench/llsq.nn" as llsq
import "../../bench/gradbench/ode.nn" as ode
import "../../bench/gradbench/gmm.nn" as gmm
import "../../bench/gradbench/ba.nn" as ba
import "../../bench/gradbench/ht.nn" as ht
import "../../bench/gradbench/kmeans.nn" as kmeans
import "../../bench/gradbench/lstm.nn" as lstm
import "../../bench/gradbench/descent.nn" as descent
import "../../bench/gradbench/particle.nn" as particle
import "../../bench/gradbench/saddle.nn" as saddle

fn wave(step: float, dim) = reshape(sin(f64(range(prod_of(dim)) + 1)*step), dim)
fn prod_of(dim) = if len(dim) == 0 { 1 } else { dim[0]*prod_of(dim[1:]) }
fn count(n: int) = zeros(u8[n])
fn same(a, b) = close(a, f64(b), tol = 1e-9)""")


def test(name, *lines):
    print('test "%s" {' % name)
    for line in lines:
        print("\n".join(broken("  " + line)))
    print("}")


def broken(line):
    """A line has at most 120 columns."""
    while len(line) > 118:
        k = line.rfind(", ", 0, 118) + 1
        yield line[:k]
        line = "    " + line[k:].lstrip()
    yield line


test("hello", "assert same(hello.square(f64(3)), 9) and same(hello.double(f64(3)), 6)")

a = wave(0.7, 4, 4)
test("det", "let a = wave(0.7, [16])",
     "assert same(det.primal(count(4), a), %s)" % numbers(torch.linalg.det(a)),
     "assert same(det.gradient(count(4), a), %s)" % numbers((torch.linalg.det(a) * torch.linalg.inv(a).T).reshape(-1)))

x = 300 * wave(0.7, 5)
test("lse", "let x = 300*wave(0.7, [5])",
     "assert same(lse.primal(x), %s)" % numbers(torch.logsumexp(x, 0)),
     "assert same(lse.gradient(x), %s)" % numbers(torch.softmax(x, 0)))

x = wave(0.7, 4).numpy()
t = np.linspace(-1, 1, 6)
v = np.vander(t, 4, increasing=True)
r = np.sign(t) - v @ x
test("llsq", "let x = wave(0.7, [4])", "assert same(llsq.primal(x, count(6)), %s)" % numbers(r @ r / 2),
     "assert same(llsq.gradient(x, count(6)), %s)" % numbers(-v.T @ r))


def ode(x, steps):
    """For y' = A y + b the step of Runge and Kutta is a polynomial in A."""
    n, h = len(x), 2 / steps
    a, b = torch.diag(x[1:], -1), torch.cat((x[:1], torch.zeros(n - 1)))
    one, ha, y = torch.eye(n), h * a, torch.zeros(n)
    for _ in range(steps):
        y = y + h * (one + ha / 2 @ (one + ha / 3 @ (one + ha / 4))) @ (a @ y + b)
    return y


x = 1 + wave(0.7, 4)
test("ode", "let x = 1 + wave(0.7, [4])", "assert same(ode.primal(x, count(3)), %s)" % numbers(ode(x, 3)),
     "assert same(ode.gradient(x, count(3)), %s)" % numbers(grads(lambda x: ode(x, 3)[-1], x)[0]))


def gmm(alpha, mu, q, l, x, m, gamma):
    k, d = mu.shape
    s = torch.zeros(k, d, d)
    below = [(i, j) for j in range(d) for i in range(j + 1, d)]
    s = s + torch.diag_embed(torch.exp(q))
    for c, (i, j) in enumerate(below):
        put = torch.zeros(d, d)
        put[i, j] = 1
        s = s + l[:, c, None, None] * put
    precision = s.transpose(1, 2) @ s
    parts = torch.distributions.MultivariateNormal(mu, precision_matrix=precision)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=alpha), parts)
    prior = torch.distributions.Wishart(df=torch.tensor(d + m + 1.0), covariance_matrix=torch.eye(d) / gamma**2)
    return mixture.log_prob(x).sum() + prior.log_prob(precision).sum()


alpha, mu, q, l, x = wave(0.7, 2), wave(0.5, 2, 3), wave(0.9, 2, 3) / 2, wave(1.1, 2, 3), 2 * wave(1.7, 5, 3)
of = lambda *v: gmm(*v, x, 2, 1.5)
test("gmm", "let (alpha, mu, q, l) = (wave(0.7, [2]), wave(0.5, [2, 3]), wave(0.9, [2, 3])/2, wave(1.1, [2, 3]))",
     "let x = 2*wave(1.7, [5, 3])",
     "assert same(gmm.objective(alpha, mu, q, l, x, 2, f64(1.5)), %s)" % numbers(of(alpha, mu, q, l)),
     "let (da, dm, dq, dl) = gmm.jacobian(alpha, mu, q, l, x, 2, f64(1.5))",
     *("assert same(%s, %s)" % (n, numbers(g)) for n, g in zip(("da", "dm", "dq", "dl"), grads(of, alpha, mu, q, l))))


def cross_matrix(w):
    z = torch.zeros(())
    return torch.stack([torch.stack([z, -w[2], w[1]]), torch.stack([w[2], z, -w[0]]), torch.stack([-w[1], w[0], z])])


def residual(cam, x, w, feat):
    at = torch.matrix_exp(cross_matrix(cam[:3])) @ (x - cam[3:6])
    p = at[:2] / at[2]
    r = p.dot(p)
    return w * (p * (1 + cam[9] * r + cam[10] * r * r) * cam[6] + cam[7:9] - feat)


cams, xs, ws, feats = wave(0.7, 2, 11), 3 + wave(0.5, 3, 3), wave(0.9, 4), wave(1.1, 4, 2)
obs = [(k % 2, k % 3) for k in range(4)]
errors = torch.stack([residual(cams[i], xs[j], ws[k], feats[k]) for k, (i, j) in enumerate(obs)])
of = torch.autograd.functional.jacobian
blocks = [of(residual, (cams[i], xs[j], ws[k], feats[k])) for k, (i, j) in enumerate(obs)]
dense = torch.zeros(12, 35)
for k, (i, j) in enumerate(obs):
    dense[2 * k:2 * k + 2, 11 * i:11 * i + 11] = blocks[k][0]
    dense[2 * k:2 * k + 2, 22 + 3 * j:25 + 3 * j] = blocks[k][1]
    dense[2 * k:2 * k + 2, 31 + k] = blocks[k][2]
    dense[8 + k, 31 + k] = -2 * ws[k]
values = torch.cat([torch.cat([b[:, None] if b.dim() == 1 else b for b in block[:3]], 1).reshape(-1)
                    for block in blocks] + [-2 * ws])
test("ba", "let (cams, xs, ws, feats) = (wave(0.7, [2, 11]), 3 + wave(0.5, [3, 3]), wave(0.9, [4]), wave(1.1, [4, 2]))",
     "let obs = i32([[k % 2, k % 3] for k in 0..<4])",
     "let (errors, w_errors) = ba.objective(cams, xs, ws, feats, obs)",
     "assert same(errors, %s)" % numbers(errors), "assert same(w_errors, %s)" % numbers(1 - ws**2),
     "let (rows, columns, values) = ba.derivatives(cams, xs, ws, feats, obs)",
     "let of = i32([if k < 120 { k // 15 } else { k - 112 } for k in 0..<124])",
     "assert all(rows[:8] == 15*range(8)) and all(rows[8:] == 120 + range(5))",
     "let product = one_hot(of, 12)' @ f32(values*wave(0.3, [35])[columns])",
     "assert close(product, %s, tol = 1e-4)" % numbers(dense @ wave(0.3, 35)),
     "assert same(values @ wave(0.2, [124]), %s)" % numbers(values @ wave(0.2, 124)))
test("ba: what is repeated", "let (n, m, p, cam) = (count(2), count(3), count(4), wave(0.7, [11]))",
     "let (cams, xs, ws, feats, obs) = ba.prepare(n, m, p, cam, f64([1, 2, 3]), f64(0.5), f64([1, 2]))",
     "assert all(cams == cam) and all(obs == [[0, 0], [1, 1], [0, 2], [1, 0]]) and shape(xs) == [3, 3]",
     "assert all(feats == [1, 2]) and all(ws == 0.5)")


def hand(theta, us, seen, points, parents, base, inverse, positions, weights, triangles, mirrored):
    def turn(w):
        return torch.matrix_exp(cross_matrix(w))

    z = torch.zeros(())
    pose = [torch.stack([z, z])] * 2
    for k in range(5):
        f = theta[6 + 4 * k:10 + 4 * k]
        pose += [f[:2], torch.stack([f[2], z]), torch.stack([f[3], z]), torch.stack([z, z])]
    whole = []
    for k, p in enumerate(pose):
        local = torch.block_diag(turn(torch.stack([z, z, p[1]])) @ turn(torch.stack([p[0], z, z])), torch.eye(1))
        whole.append((whole[parents[k]] if parents[k] >= 0 else torch.eye(4)) @ base[k] @ local)
    at = sum(weights[:, k:k + 1] * (positions @ (whole[k] @ inverse[k]).T)[:, :3] for k in range(22))
    if mirrored:
        at = at * torch.tensor([-1.0, 1, 1])
    at = at @ turn(theta[:3]).T + theta[3:6]
    if us is None:
        return (points - at[seen]).reshape(-1)
    c = at[triangles[seen]]
    u = torch.cat((us, 1 - us.sum(1, keepdim=True)), 1)
    return (points - (u[:, :, None] * c).sum(1)).reshape(-1)


theta, us, points = wave(0.7, 26), wave(0.4, 3, 2), wave(0.6, 3, 3)
parents = [-1] + [(k - 1) * 2 // 3 for k in range(1, 22)]
base, inverse = wave(0.3, 22, 4, 4), wave(1.3, 22, 4, 4)
positions, weights = wave(0.8, 6, 4), wave(0.11, 6, 22) / 11
triangles, seen = torch.tensor([[0, 1, 2], [1, 2, 3], [3, 4, 5], [5, 0, 2]]), torch.tensor([3, 1, 2])
rest = (seen, points, parents, base, inverse, positions, weights, triangles)
by_theta, by_us = torch.autograd.functional.jacobian(lambda t, u: hand(t, u, *rest, True), (theta, us))
along = torch.stack([torch.einsum("rcu,cu->r", by_us, e.expand(3, 2)) for e in torch.eye(2)], 1)
ends = torch.cat((along, by_theta), 1)
plain = torch.autograd.functional.jacobian(lambda t: hand(t, None, *rest, False), theta)
test("ht", "let (theta, us, points) = (wave(0.7, [26]), wave(0.4, [3, 2]), wave(0.6, [3, 3]))",
     "let parents = i32([if k == 0 { -1 } else { (k - 1)*2//3 } for k in 0..<22])",
     "let (base, inverse) = (wave(0.3, [22, 4, 4]), wave(1.3, [22, 4, 4]))",
     "let (positions, weights) = (wave(0.8, [6, 4]), wave(0.11, [6, 22])/11)",
     "let (triangles, seen) = (i32([[0, 1, 2], [1, 2, 3], [3, 4, 5], [5, 0, 2]]), i32([3, 1, 2]))",
     "fn of(f, us, flip) = f(theta, us, seen, points, parents, base, inverse, positions, weights, triangles, flip)",
     "assert same(of(ht.objective, us, i32(1)), %s)" % numbers(hand(theta, us, *rest, True)),
     "assert same(of(ht.derivatives, us, i32(1)) @ wave(0.3, [28]), %s)" % numbers(ends @ wave(0.3, 28)),
     "assert same(wave(0.3, [9]) @ of(ht.derivatives, us, i32(1)), %s)" % numbers(wave(0.3, 9) @ ends),
     "assert same(of(ht.objective, zeros(f64[0]), i32(0)), %s)" % numbers(hand(theta, None, *rest, False)),
     "assert same(of(ht.derivatives, zeros(f64[0]), i32(0)) @ wave(0.3, [26]), %s)" % numbers(plain @ wave(0.3, 26)))

points, centres = wave(0.7, 7, 2).numpy(), wave(0.7, 7, 2).numpy()[-3:] + 0.1
distance = ((points[:, None] - centres[None]) ** 2).sum(2)
mean = np.stack([points[distance.argmin(1) == k].mean(0) for k in range(3)])
test("kmeans", "let points = wave(0.7, [7, 2])", "let centres = points[-3:] + 0.1",
     "assert same(kmeans.cost(points, centres), %s)" % numbers(distance.min(1).sum()),
     "assert same(kmeans.dir(points, centres), %s)" % numbers(centres - mean))


def lstm(main, extra, state, sequence):
    hidden, cell, total = list(state[0::2]), list(state[1::2]), 0
    for x, wanted in zip(sequence[:-1], sequence[1:]):
        y = x * extra[0]
        for k in range(len(hidden)):
            of = torch.cat((y, hidden[k], y, hidden[k])) * main[2 * k] + main[2 * k + 1]
            f, i, o, g = of.chunk(4)
            cell[k] = cell[k] * torch.sigmoid(f) + torch.sigmoid(i) * torch.tanh(g)
            hidden[k] = y = torch.sigmoid(o) * torch.tanh(cell[k])
        y = y * extra[1] + extra[2]
        total = total - (wanted * (y - torch.log(torch.exp(y).sum() + 2))).sum()
    return total / (len(sequence) - 1) / len(x)


main, extra, state, sequence = wave(0.7, 4, 12), wave(0.5, 3, 3), wave(0.9, 4, 3), (wave(1.1, 6, 3) > 0) * 1.0
of = lambda m, e: lstm(m, e, state, sequence)
test("lstm", "let (state, main, extra) = (wave(0.9, [4, 3]), wave(0.7, [4, 12]), wave(0.5, [3, 3]))",
     "let sequence = f64(wave(1.1, [6, 3]) > 0)",
     "assert same(lstm.objective(state, main, extra, sequence), %s)" % numbers(of(main, extra)),
     "assert same(lstm.jacobian(state, main, extra, sequence), %s)"
     % numbers(torch.cat([g.reshape(-1) for g in grads(of, main, extra)])))


def descend(f, slope, x):
    """Steps as GradBench defines them."""
    fx, gx, eta, k = f(x), slope(x), 1e-5, 0
    while np.linalg.norm(gx) > 1e-5:
        if k == 10:
            eta, k = 2 * eta, 0
            continue
        y = x - eta * gx
        if np.linalg.norm(x - y) <= 1e-5:
            break
        if f(y) < fx:
            x, fx, gx, k = y, f(y), slope(y), k + 1
        else:
            eta, k = eta / 2, 0
    return x


def miss(w):
    x, v = np.array([0, 8 + 0 * w]), np.array([0.75, 0 * w])
    while True:
        far = [x - np.array([10, c]) for c in (10 - w, 0)]
        force = sum(d / (d @ d) ** 1.5 for d in far)        # no norm: w may be complex
        x = x + 0.1 * v
        if x[1].real <= 0:
            return (x[0] - x[1] / v[1] * v[0]) ** 2
        v = v + 0.1 * force


slope = lambda w: np.array([miss(w[0] + 1e-30j).imag / 1e-30])
test("particle", "let (by, along) = (descent.backward, descent.forward)",
     "var (start, at) = (f64(0), f64([0.1]))",         # cells: what is known is computed while checking, step by step
     "assert same(particle.miss(at[0], by), %s)" % numbers(miss(0.1).real),
     "let of = fn (inner) = fn (w: f64[1]) = particle.miss(w[0], inner)",
     *("assert same(%s(of(%s))(at), %s)" % (f, g, numbers(slope([0.1])))
       for f in ("by", "along") for g in ("by", "along")),
     "assert same(particle.rr(start), %s)" % numbers(descend(lambda w: miss(w[0]).real, slope, np.array([0.0]))[0]))


def highest(x):
    y = descend(lambda y: y @ y - x @ x, lambda y: 2 * y, np.ones(2))
    return x @ x - y @ y


x = descend(highest, lambda x: 2 * x, np.ones(2))
y = descend(lambda y: y @ y - x @ x, lambda y: 2 * y, np.ones(2))
both = numbers(np.concatenate((x, y)))
test("saddle", "var start = ones(f64[2])", *("assert same(saddle.%s(start), %s)" % (f, both) for f in ("ff", "rr")))
