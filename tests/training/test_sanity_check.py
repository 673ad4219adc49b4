"""A cost that goes wrong is told before anything is trained: where, what, in one line. A right one is left alone."""

import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import nn

from dlthink.config.cost_contract import check_cost, check_made, kinds
from dlthink.errors import BadInput, Diverged
from dlthink.metrics.reals.metrics import Reals
from dlthink.training.sampler import Sampler
from dlthink.training.sanity_check import sanity_check
from dlthink.user_errors import own_code
from tests.training.toy import Line, Rows, fit, network, weights

CPU = torch.device("cpu")
RIGHT = {
    "head": "",
    "init": "",
    "forward": 'return {"mse": (out - y).square().mean()}',
    "predict": 'return {"mean": out}',
    "more": "",
}
COST = """
import math
import numpy as np
import torch
from torch import nn
{head}

class Mine(nn.Module):
    targets = {{"reals"}}
    outputs_per_target = 1

    def __init__(self):
        super().__init__()
        {init}

    def forward(self, out, y):
        {forward}

    def predict(self, out):
        {predict}

    {more}
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """`mine(forward="...", ...)`: a cost in a file of the user's own, asked everything; line_of finds a text in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(data=None, model=None, **parts):
        parts = {
            name: textwrap.indent(
                textwrap.dedent(text), " " * (8 if name in ("init", "forward", "predict") else 4)
            ).strip()
            for name, text in (RIGHT | parts).items()
        }
        (tmp_path / "own.py").write_text(COST.format(**parts))
        sys.modules.pop("own", None)
        data = data or Line()
        torch.manual_seed(0)
        with own_code():
            import own

            kinds(own.Mine)
            check_cost(own.Mine, ("mean",))
            loss = own.Mine()
            check_made(loss)
            if hasattr(loss, "prepare"):
                loss.prepare(data.train.targets())
            first = Sampler(data.train, 64, 0, CPU).next()
            cost = sanity_check(model or network(), loss, data.train, data.val, Reals(), first)
        return cost, loss

    yield make
    sys.modules.pop("own", None)


def line_of(text):
    with open("own.py") as file:
        return next(n for n, line in enumerate(file, 1) if text in line)


WRONG = {
    "a name that is not imported": ({"forward": "return {'e': F.mse_loss(out, y)}"}, ["F", "NameError"], "F.mse"),
    "a name in read alone": ({"predict": "return {'mean': F.relu(out)}"}, ["F", "NameError"], "F.relu"),
    "a file that is not there": (
        {"forward": "open('nothing.txt')\nreturn {'e': (out - y).square().mean()}"},
        ["FileNotFoundError", "nothing.txt"],
        "open(",
    ),
    "a way back of its own": (
        {"forward": "e = (out - y).square().mean()\ne.backward()\nreturn {'e': e}"},
        ["goes back through its own graph", ".backward()"],
        "def forward",
    ),
    "what is changed after its use": (
        {"forward": "e = out.exp()\nf = e.square() - y\ne += 1\nreturn {'e': f.mean()}"},
        ["write a = a + b", "on the way back"],
        "def forward",
    ),
    "predictions less their mean": (
        {"predict": "return {'mean': out - out.mean(0)}"},
        ["mean of a sample depends on which others", "dim 0"],
        "def predict",
    ),
    "a spread of all": (
        {"predict": "return {'mean': out, 'std': out.softmax(0)}"},
        ["std of a sample depends on which others"],
        "def predict",
    ),
    "predictions in order": ({"predict": "return {'mean': out.sort(0).values}"}, ["depends on which"], "def predict"),
    "numpy": (
        {"forward": "e = np.square(out.numpy() - y.numpy())\nreturn {'e': torch.tensor(e.mean())}"},
        ["gradients do not pass through numpy"],
        "np.square",
    ),
    "detached numpy": (
        {"forward": "e = np.square(out.detach().numpy() - y.numpy())\nreturn {'e': torch.tensor(e.mean())}"},
        ["the term e", "no gradient", "numpy"],
        "def forward",
    ),
    "a number of numpy's": (
        {"forward": "return {'e': np.float32(1)}"},
        ["the term e", "tensor", "float32"],
        "def forward",
    ),
    "an array": ({"forward": "return {'e': np.zeros(3)}"}, ["the term e", "tensor", "ndarray"], "def forward"),
    "a tensor": ({"forward": "return (out - y).square().mean()"}, ["named terms", "tensor of shape []"], "def forward"),
    "a list": ({"forward": "return [(out - y).square().mean()]"}, ["named terms", "list"], "def forward"),
    "nothing": ({"forward": "e = (out - y).square().mean()"}, ["named terms", "NoneType"], "def forward"),
    "no terms": ({"forward": "return {}"}, ["named terms", "empty dict"], "def forward"),
    "numbers for names": ({"forward": "return {0: (out - y).square().mean()}"}, ["named terms", "0"], "def forward"),
    "a term of many": ({"forward": "return {'e': (out - y).square()}"}, ["term e", "[64, 3]"], "def forward"),
    "a term in a list": (
        {"forward": "return {'e': (out - y).square().mean()[None]}"},
        ["term e", "[1]"],
        "def forward",
    ),
    "a float": ({"forward": "return {'e': (out - y).square().mean().item()}"}, ["term e", "float"], "def forward"),
    "a whole number": ({"forward": "return {'e': (out > y).sum()}"}, ["term e", "int64"], "def forward"),
    "a complex one": ({"forward": "return {'e': torch.fft.fft(out - y).sum()}"}, ["term e", "complex"], "def forward"),
    "another size": (
        {"forward": "return {'e': (out[:, :2] - y).square().mean()}"},
        ["out [64, 3]", "y [64, 3]"],
        "[:, :2]",
    ),
    "an index too far": ({"forward": "return {'e': out[:, 7].mean()}"}, ["IndexError", "out [64, 3]"], "out[:, 7]"),
    "a division by zero": (
        {"forward": "n = 0\nreturn {'e': (out - y).square().sum() / (1 // n)}"},
        ["ZeroDivision"],
        "1 // n",
    ),
    "an attribute": ({"forward": "return {'e': (out - y).square().mean() * self.scale}"}, ["scale"], "self.scale"),
    "a truth of many": (
        {"forward": "if out > y:\n    return {'e': out.mean()}\nreturn {'e': y.mean()}"},
        ["torch.where"],
        "if out",
    ),
    "an assertion": (
        {"forward": "assert out.ndim == 7, 'seven'\nreturn {'e': out.mean()}"},
        ["AssertionError: seven"],
        "assert",
    ),
    "deeper": (
        {"head": "def deep(x):\n    return x.nowhere()\n", "forward": "return {'e': deep(out - y)}"},
        ["nowhere"],
        "return x.nowhere()",
    ),
    "detached": (
        {"forward": "return {'e': (out.detach() - y).square().mean()}"},
        ["term e", "no gradient"],
        "def forward",
    ),
    "one term detached": (
        {"forward": "e = (out - y).square().mean()\nreturn {'e': e, 'root': e.detach().sqrt()}"},
        ["the term root", "watch"],
        "def forward",
    ),
    "rounded": (
        {"forward": "return {'e': (out.round() - y).square().mean()}"},
        ["gradient is 0 everywhere"],
        "def forward",
    ),
    "counted": (
        {"forward": "return {'e': ((out - y).abs() > 1).float().mean()}"},
        ["term e", "no gradient"],
        "def forward",
    ),
    "y changed": (
        {"forward": "y -= 1\nreturn {'e': (out - y).square().mean()}"},
        ["changes y in place"],
        "def forward",
    ),
    "y's log": ({"forward": "y.abs_().log_()\nreturn {'e': (out - y).square().mean()}"}, ["changes y"], "def forward"),
    "out changed": ({"forward": "out += 1\nreturn {'e': (out - y).square().mean()}"}, ["changes out"], "def forward"),
    "out changed in read": ({"predict": "return {'mean': out.mul_(2)}"}, ["predict", "changes out"], "def predict"),
    "a graph kept": (
        {
            "init": "self.seen = 0.0",
            "forward": "self.seen = 0.9 * self.seen + out.mean()\n"
            "return {'e': (out - y).square().mean() + self.seen ** 2}",
        },
        ["keeps the graph", "self.seen", ".detach()"],
        "def forward",
    ),
    "graphs piled up": (
        {"init": "self.all = []", "forward": "e = (out - y).square().mean()\nself.all.append(e)\nreturn {'e': e}"},
        ["keeps the graph", "self.all"],
        "def forward",
    ),
    "a counter": (
        {
            "init": "self.n = 0",
            "forward": "self.n += self.training\n"
            "return {'e': (out - y).square().mean() + min(1, self.n / 1000) * out.square().mean()}",
        },
        ["self.n ", "not kept in checkpoints", 'register_buffer("n"'],
        "def forward",
    ),
    "a counter that has an end": (
        {
            "init": "self.n = 0",
            "forward": "self.n += 1\n"
            "return {'e': (out - y).square().mean() if self.n < 500 else (out - y).abs().mean()}",
        },
        ["self.n ", "not kept in checkpoints"],
        "def forward",
    ),
    "a scale that runs": (
        {
            "init": "self.s = torch.ones(3)",
            "forward": "self.s = 0.9 * self.s + 0.1 * y.std(0)\nreturn {'e': ((out - y) / self.s).square().mean()}",
        },
        ["self.s ", "not kept in checkpoints"],
        "def forward",
    ),
    "a buffer that is left out": (
        {
            "init": "self.register_buffer('s', torch.ones(3), persistent=False)",
            "forward": "self.s = 0.9 * self.s + 0.1 * y.std(0)\nreturn {'e': ((out - y) / self.s).square().mean()}",
        },
        ["self.s ", "not kept in checkpoints"],
        "def forward",
    ),
    "a generator of its own": (
        {
            "init": "self.g = torch.Generator().manual_seed(0)",
            "forward": "return {'e': ((out - y) * torch.rand(3, generator=self.g)).square().mean()}",
        },
        ["self.g ", "not kept in checkpoints", "global generator"],
        "def forward",
    ),
    "a seed": (
        {"forward": "torch.manual_seed(0)\nreturn {'e': (out - y + torch.rand(3)).square().mean()}"},
        ["sets the seed"],
        "def forward",
    ),
    "a weight made late": (
        {
            "init": "self.w = None",
            "forward": "if self.w is None:\n    self.w = nn.Parameter(torch.ones(3))\n"
            "return {'e': ((out - y) * self.w).square().mean()}",
        },
        ["makes self.w", "__init__"],
        "def forward",
    ),
    "a layer without a size": (
        {"init": "self.layer = nn.LazyLinear(3)", "forward": "return {'e': (self.layer(out) - y).square().mean()}"},
        ["self.layer.", "no size"],
        "class Mine",
    ),
    "layers in a list": (
        {"init": "self.layers = [nn.Linear(3, 3)]", "forward": "return {'e': (self.layers[0](out) - y).abs().mean()}"},
        ["self.layers gets gradients", "nn.ModuleList"],
        "def forward",
    ),
    "a weight that is no parameter": (
        {
            "init": "self.w = torch.ones(3, requires_grad=True)",
            "forward": "return {'e': ((out - y) * self.w).square().mean()}",
        },
        ["self.w gets gradients", "nn.Parameter"],
        "def forward",
    ),
    "chance that no seed reaches": (
        {"forward": "noise = np.random.default_rng().normal()\nreturn {'e': (out - y).square().mean() * noise}"},
        ["asked twice", "torch"],
        "def forward",
    ),
    "every answer with every target": (
        {"forward": "e = out[:, 0] - y[:, :1]\nreturn {'e': e.square().mean()}"},
        ["the term e", "[61] and [61, 1] makes [61, 61]"],
        "e = out[:, 0]",
    ),
    "in torch's own cost": (
        {"forward": "return {'e': nn.functional.mse_loss(out[:, 0], y[:, :1])}"},
        ["[61] and [61, 1]"],
        "mse_loss",
    ),
    "in one term of two": (
        {"forward": "return {'a': (out - y).abs().mean(),\n 'b': (out[:, 0] - y[:, :1]).square().mean()}"},
        ["the term b", "[61, 61]"],
        "'b':",
    ),
    "means compared": (
        {"forward": "return {'e': (out.mean() - y.mean()).square()}"},
        ["term e", "whichever"],
        "def forward",
    ),
    "no look at y": (
        {"forward": "return {'e': out.square().mean()}"},
        ["term e", "does not depend on y"],
        "def forward",
    ),
    "samples mixed up": (
        {"forward": "return {'e': (out.reshape(-1) - y.T.reshape(-1)).square().mean()}"},
        ["order of the samples"],
        "def forward",
    ),
    "neighbours": (
        {"forward": "d = (out - y)[1:] + (out - y)[:-1]\nreturn {'e': d.square().mean()}"},
        ["order"],
        "def forward",
    ),
    "read without names": ({"predict": "return out"}, ["named quantities", "tensor"], "def predict"),
    "a complex mean": ({"predict": "return {'mean': out + 0j}"}, ["mean", "real numbers", "complex64"], "def predict"),
    "a class for a distribution": (
        {"predict": "return {'mean': out, 'distribution': torch.distributions.Normal}"},
        ["distribution is the class Normal", "Normal(...)"],
        "def predict",
    ),
    "a state that is none": ({"more": "def state_dict(self, **_):\n    return 3"}, ["a dict", "int"], "def state_dict"),
    "read nothing": ({"predict": "pass"}, ["named quantities", "NoneType"], "def predict"),
    "another name": ({"predict": "return {'rate': out}"}, ["asks for mean", "rate"], "def predict"),
    "a mean too short": ({"predict": "return {'mean': out[:, 0]}"}, ["mean", "[16]", "[16, 3]"], "def predict"),
    "a mean of all": ({"predict": "return {'mean': out.mean()}"}, ["mean", "[]", "[16, 3]"], "def predict"),
    "a std too short": (
        {"predict": "return {'mean': out, 'std': out.std(0)}"},
        ["std", "[3]", "[16, 3]"],
        "def predict",
    ),
    "a std that is a number": ({"predict": "return {'mean': out, 'std': 1.0}"}, ["std", "float"], "def predict"),
    "an array read": ({"predict": "return {'mean': out.numpy()}"}, ["mean", "tensor", "ndarray"], "def predict"),
    "a distribution too short": (
        {"predict": "return {'mean': out, 'distribution': torch.distributions.Normal(out[:, 0], 1.0)}"},
        ["distribution"],
        "def predict",
    ),
    "no distribution": (
        {"predict": "return {'mean': out, 'distribution': 'normal'}"},
        ["distribution", "str"],
        "def predict",
    ),
    "a mean that is none": (
        {"predict": "return {'mean': out / 0 * 0}"},
        ["mean", "not finite", "48 of 48"],
        "def predict",
    ),
    "targets that are text": ({"more": "targets = 'reals'"}, ["targets", '{"reals"}'], None),
    "width nought": ({"more": "outputs_per_target = 0"}, ["outputs_per_target = 0"], "class Mine"),
    "outputs with a point": ({"more": "outputs_per_target = 1.0"}, ["outputs_per_target = 1.0"], "class Mine"),
    "a true width": ({"more": "outputs_per_target = True"}, ["outputs_per_target = True"], "class Mine"),
    "no super": ({"more": "def __init__(self):\n    self.scale = 2"}, ["super().__init__()"], None),
    "a weight before super": (
        {"more": "def __init__(self):\n    self.scale = nn.Parameter(torch.ones(1))\n    super().__init__()"},
        ["super().__init__()"],
        "nn.Parameter",
    ),
    "a constructor that fails": ({"init": "self.scale = math.sqrt(-1)"}, ["ValueError"], "sqrt(-1)"),
    "no self": (
        {"more": "def predict(out):\n    return {'mean': out}"},
        ["predict", "(self, out)"],
        "def predict(out)",
    ),
    "an argument more": ({"more": "def forward(self, out, y, w):\n    pass"}, ["(self, out, y)"], "out, y, w"),
    "prepare without y": ({"more": "def prepare(self):\n    pass"}, ["prepare", "(self, y)"], "def prepare"),
    "prepare that fails": ({"more": "def prepare(self, y):\n    self.m = y.maen(0)"}, ["maen"], "maen"),
    "learned and not kept": (
        {"predict": "return {'mean': out + self.m}", "more": "def prepare(self, y):\n    self.m = y.mean(0)"},
        ["self.m", "register_buffer"],
        "def prepare",
    ),
    "fitted and not kept": (
        {
            "init": "self.s = 1.0",
            "predict": "return {'mean': out, 'std': self.s + 0 * out}",
            "more": "def fit_on_validation(self, out, y):\n    self.s = (y - out).std()",
        },
        ["self.s", "register_buffer"],
        "def fit_on_validation",
    ),
    "a fit on validation that fails": (
        {"more": "def fit_on_validation(self, out, y):\n    y[:, 9]"},
        ["IndexError", "fit_on_validation"],
        "y[:, 9]",
    ),
    "watch that fails": (
        {"more": "def watch(self, out, y):\n    return {'e': out - y}\ndef remark(self, seen):\n    pass"},
        ["watch"],
        None,
    ),
    "gradients taken where there are none": (
        {
            "forward": "g, = torch.autograd.grad(out.square().sum(), out, create_graph=True)\n"
            "return {'e': (out - y).square().mean() + g.square().mean()}"
        },
        ["no gradients", "enable_grad"],
        "torch.autograd.grad",
    ),
}


@pytest.mark.parametrize("parts, words, line", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_in_one_line(mine, parts, words, line):
    with pytest.raises(BadInput) as error:
        mine(**parts)
    told = str(error.value)
    assert "\n" not in told and len(told) < 420
    for word in words:
        assert word in told
    if line:
        assert f"own.py:{line_of(line)}: " in told, (told, line_of(line))


NOT_FINITE = {
    "a log below 0": ("return {'e': (out.log() - y).square().mean()}", ["the term e is nan", "log of -"], "out.log()"),
    "a log of 0": ("return {'e': (out - y + (y * 0).log()).mean()}", ["-inf", "log of 0"], ".log()"),
    "a root below 0": ("return {'e': (out.sqrt() - y).square().mean()}", ["nan", "sqrt of -"], "out.sqrt()"),
    "a division by 0": ("return {'e': ((out - y) / (y - y)).square().mean()}", ["division of", "0"], "(y - y)"),
    "too large": ("return {'e': ((100 * out + 900).exp() - y).square().mean()}", ["inf", "exp of"], ".exp()"),
    "a mean of nothing": ("return {'e': (out - y)[:0].mean()}", ["nan", "mean of nothing"], "[:0]"),
    "a root without slope": (
        "return {'e': (out - y).square().mean() + (out * 0).abs().sqrt().mean()}",
        ["its gradient is not", "sqrt of 0"],
        ".sqrt()",
    ),
    "a norm without slope": (
        "return {'e': (out - y).mean() + (out - out).norm(dim=1).pow(0.5).mean()}",
        ["its gradient is not", "pow of 0"],
        ".pow(",
    ),
}


@pytest.mark.parametrize("forward, words, line", NOT_FINITE.values(), ids=NOT_FINITE.keys())
def test_what_is_not_finite_names_the_operation_and_what_out_spans(mine, forward, words, line):
    with pytest.raises(Diverged) as error:
        mine(forward=forward)
    told = str(error.value)
    assert "\n" not in told
    for word in [*words, "step 1", "nothing was trained yet", "out spans -", f"own.py:{line_of(line)}: "]:
        assert word in told, told


def test_missing_targets_are_named_and_what_to_do_about_them_works(mine):
    data = Line()
    data.train.y[::3, 0] = torch.nan
    with pytest.raises(Diverged, match=r"the term mse is nan.*What is nan in y is missing.*known = ~y.isnan\(\)"):
        mine(data)
    cost, _ = mine(data, forward="known = ~y.isnan()\nreturn {'mse': (out[known] - y[known]).square().mean()}")
    assert np.isfinite(cost)


def test_targets_that_leave_the_range_of_the_cost_are_told_from_answers_that_do(mine):
    for forward, low in (("(y * y.log() - y * out + out.exp())", "0"), ("(out - y.sqrt()).square()", "below 0")):
        data = Line()
        data.train.y[:] = data.train.y.abs().round() if low == "0" else data.train.y
        with pytest.raises(Diverged, match=rf"Not the answers, targets (of )?{low} make it so: take torch.xlogy"):
            mine(data, forward=f"return {{'e': {forward}.mean()}}")
    with pytest.raises(Diverged) as error:
        mine(forward="return {'e': (out.log() - y).square().mean()}")
    assert "targets" not in str(error.value)


FINE = {
    "as it should be": {},
    "a penalty beside it": {"forward": "return {'e': (out - y).abs().mean(), 'small': out.square().mean()}"},
    "all pairs on purpose": {
        "forward": "d = (out[:, None] - out[None]) - (y[:, None] - y[None])\nreturn {'e': d.square().mean()}"
    },
    "pairs by chance": {
        "forward": "p = torch.randperm(len(y))\nd = (out - out[p]) - (y - y[p])\nreturn {'e': d.square().mean()}"
    },
    "chance that a seed reaches": {"forward": "return {'e': (out + torch.randn_like(out) - y).square().mean()}"},
    "predictions by chance": {"predict": "return {'mean': out + torch.randn_like(out)}"},
    "a hinge that is content": {"forward": "return {'e': torch.relu((out - y).abs() - 1e6).mean()}"},
    "a weight of its own": {
        "init": "self.log_s = nn.Parameter(torch.zeros(3))",
        "forward": "return {'e': (((out - y) / self.log_s.exp()).square() / 2 + self.log_s).mean()}",
    },
    "a mean that is detached": {
        "init": "self.register_buffer('mean', torch.zeros(()))",
        "forward": "self.mean = self.mean + out.mean().detach()\nreturn {'e': (out - y - self.mean).abs().mean()}",
    },
    "what is only looked at": {
        "init": "self.all, self.n = [], 0",
        "forward": "e = (out - y).square().mean()\nself.n += 1\nself.all.append(e.item())\nreturn {'e': e}",
    },
    "a counter that is kept": {
        "init": "self.register_buffer('n', torch.zeros(()))",
        "forward": "self.n += 1\nreturn {'e': (out - y).square().mean() * (self.n / 1000).clamp(max=1)}",
    },
    "another network's list": {
        "init": "self.eye = [nn.Linear(3, 3)]",
        "forward": "with torch.no_grad():\n    seen = self.eye[0](y)\nreturn {'e': (out - seen).square().mean()}",
    },
    "a seed that is put back": {
        "forward": "with torch.random.fork_rng():\n    torch.manual_seed(0)\n    w = torch.rand(3)\n"
        "return {'e': ((out - y) * w).square().mean()}"
    },
    "learned and not read": {
        "forward": "return {'e': ((out - y) / self.s).square().mean()}",
        "more": "def prepare(self, y):\n    self.s = y.std(0)",
    },
    "learned and kept": {
        "init": "self.register_buffer('m', torch.zeros(3))",
        "predict": "return {'mean': out + self.m}",
        "more": "def prepare(self, y):\n    self.m = y.mean(0)",
    },
    "targets far away": {"forward": "return {'e': (out - y - 5e5).square().mean()}"},
    "read with a spread": {
        "predict": "return {'mean': out, 'std': torch.ones_like(out), "
        "'distribution': torch.distributions.StudentT(3.0, out, 1.0)}"
    },
    "static": {"more": "@staticmethod\ndef predict(out):\n    return {'mean': out}"},
    "its own gradient": {
        "forward": "with torch.enable_grad():\n    o = out if out.requires_grad else out.detach().requires_grad_()\n"
        "    g, = torch.autograd.grad(o.square().sum(), o, create_graph=True)\n"
        "return {'e': (out - y).square().mean() + g.square().mean()}"
    },
    "a lock, which cannot be copied": {"head": "import threading", "init": "self.lock = threading.Lock()"},
}


@pytest.mark.parametrize("parts", FINE.values(), ids=FINE.keys())
def test_what_is_right_is_left_alone(mine, parts):
    cost, loss = mine(**parts)
    assert np.isfinite(cost)
    assert vars(loss).get("seen", 0.0) == 0.0  # a copy was asked


def test_one_target_and_a_column_for_it(mine):
    """The slip as it is made: out[:, 0] is [n], y is [n, 1]."""
    with pytest.raises(BadInput, match=r"sub of \[61\] and \[61, 1\] makes \[61, 61\]"):
        mine(data=Line(n_targets=1), model=network(n_out=1), forward='return {"e": (out[:, 0] - y).square().mean()}')
    mine(data=Line(n_targets=1), model=network(n_out=1), forward='return {"e": (out - y).square().mean()}')


def test_targets_that_are_all_the_same_say_nothing(mine):
    data = Line(n_targets=1)
    for split in (data.train, data.val, data.test):
        split.y.zero_()
    mine(data=data, model=network(n_out=1), forward='return {"e": (out - y).square().mean()}')


def test_a_network_that_answers_wrongly(mine):
    with pytest.raises(BadInput, match=r"answers \[64, 2\] where the cost wants 3 numbers for each of 64 rows"):
        mine(model=network(n_out=2))

    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3)

        def forward(self, x):
            return self.layer(x).detach()

    with pytest.raises(BadInput, match="does not depend on its weights"):
        mine(model=Cut())


def test_an_ensemble_whose_answers_a_cost_does_not_take(mine):
    class Members(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 6)

        def forward(self, x):
            return self.layer(x).unflatten(1, (2, 3))

    with pytest.raises(BadInput, match=r"answers as an ensemble does, \[64, 2, 3\].*members = True.*model=mlp"):
        mine(model=Members())


def test_nothing_is_disturbed(tmp_path, monkeypatch):
    """Weights of a run, its chance included, are the same bit for bit without the check."""
    model = lambda: nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3))  # noqa: E731

    def run(name):
        torch.manual_seed(0)
        made = model()
        fit(tmp_path / name, made)
        return weights(made)

    checked = run("checked")
    monkeypatch.setattr("dlthink.training.loop.sanity_check", lambda *_: 0.0)
    assert torch.equal(checked, run("unchecked"))


def test_the_batch_asked_is_the_first_of_the_run():
    order = Sampler(Rows(torch.zeros(100, 1), torch.zeros(100, 1)), 32, 5, CPU)
    before, stream = order.next(), iter(order)
    assert torch.equal(before, next(stream))
    saved, second = order.state(), next(stream)
    again = Sampler(order.split, 32, 0, CPU)
    again.restore(saved)
    assert torch.equal(again.next(), second)
    assert torch.equal(next(iter(again)), second)
