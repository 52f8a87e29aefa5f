"""The workloads of bench/work in PyTorch. In: NAME THREADS STEPS. Out: seconds of a step, of the processor on one thread,
else by the clock. The best loop: gradients by autograd.grad, updates by foreach operations, no modules where they cost."""
import os, sys, time
name, threads, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = str(threads)
import torch
import torch.nn as nn, torch.nn.functional as F
torch.set_num_threads(threads)
torch.manual_seed(1)
clock = time.process_time if threads == 1 else time.perf_counter

def trained(net, loss, rate=None):
    ps = list(net.parameters())
    opt = None if rate else torch.optim.Adam(ps, 1e-3, foreach=True)
    def step():
        if opt:
            opt.zero_grad(set_to_none=True)
            loss().backward()
            opt.step()
        else:
            gs = torch.autograd.grad(loss(), ps)
            with torch.no_grad(): torch._foreach_add_(ps, gs, alpha=-rate)
    return step

def classes(net, batch, shape=(784,), rate=None, sets=1):
    x, y = torch.rand(batch * sets, *shape), torch.randint(0, 10, (batch * sets,))
    at = [0]
    def loss():
        k = at[0] = (at[0] + 1) % sets
        return F.cross_entropy(net(x[k * batch:(k + 1) * batch]), y[k * batch:(k + 1) * batch])
    return trained(net, loss, rate)

def dense(*sizes):
    layers = []
    for k in range(len(sizes) - 1): layers += [nn.Linear(sizes[k], sizes[k + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])

def xor():
    x, y = torch.tensor([[0., 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.], [1], [1], [0]])
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    return trained(net, lambda: F.binary_cross_entropy_with_logits(net(x), y), 0.5)

def conv():
    net = nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Flatten(), nn.Linear(256, 10))
    return classes(net, 64, (1, 28, 28), 0.1)

def pointwise():
    x = torch.rand(1000000) * 4 - 2
    a, b = torch.tensor(1.3, requires_grad=True), torch.tensor(0.2, requires_grad=True)
    def step(): torch.autograd.grad((torch.tanh(x * a + b) * torch.sigmoid(x) + torch.exp(-x * x)).sum(), (a, b))
    return step

def lstm():
    net = nn.ModuleList([nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 10)])
    x, y = torch.randn(32, 100, 64), torch.randn(32, 10)
    return trained(net, lambda: F.mse_loss(net[1](net[0](x)[0][:, -1]), y))

def transformer():
    net = nn.TransformerEncoderLayer(256, 4, 1024, 0.0, 'gelu', batch_first=True, norm_first=True)
    x, y = torch.randn(8, 128, 256), torch.randn(8, 128, 256)
    mask = nn.Transformer.generate_square_subsequent_mask(128)
    return trained(net, lambda: F.mse_loss(net(x, mask), y))

def scan():
    f = torch.rand(10000) * 0.001
    s = torch.tensor([1., 0.5, 0.25, 2.], requires_grad=True)
    def step():
        a, b, d, e = s.unbind()
        for x in f: a, b, d, e = a + x * b, b - x * a, d * 0.999 + a * 0.1, e + d * x
        torch.autograd.grad(a * b + d * e, s)
    return step

step = {'xor': xor, 'mlp': lambda: classes(dense(784, 128, 10), 64, rate=0.1, sets=100),
        'mlp_adam': lambda: classes(dense(784, 512, 512, 10), 128, sets=50),
        'wide': lambda: classes(dense(784, 2048, 2048, 10), 256, rate=0.05), 'conv': conv, 'pointwise': pointwise,
        'lstm': lstm, 'transformer': transformer, 'scan': scan}[name]()
if name == 'scan': steps = min(steps, 2)
step()
begun = clock()
for _ in range(steps): step()
print((clock() - begun) / steps)
