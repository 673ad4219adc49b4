"""What every network over a window of bins promises: shape, start, precision, causality within x."""

from functools import partial

import numpy as np
import pytest
import torch

from dlthink.errors import BadInput
from dlthink.models.bases.spline import Spline
from dlthink.models.glm import GLM
from dlthink.models.gru import GRU
from dlthink.models.kalman import Kalman
from dlthink.models.lstm import LSTM
from dlthink.models.mlp import MLP
from dlthink.models.wiener_cascade import WienerCascade

N_IN, WINDOW, N_OUT = 3, 4, 5
LINES = {1: None, 4: partial(Spline, window=4, number=2, degree=1)}  # straight lines along the window
MODELS = {
    "glm": GLM,
    "mlp": MLP,
    "mlp-deep": partial(MLP, width=7, depth=3, dropout=0.2, activation="relu"),
    "glm-basis": lambda window, **facts: GLM(window=window, **facts, basis=LINES[window]),
    "wiener_cascade": WienerCascade,
    "kalman": Kalman,
    "lstm": LSTM,
    "lstm-deep": partial(LSTM, width=7, depth=2, dropout=0.2),
    "gru": GRU,
    "gru-deep": partial(GRU, width=7, depth=2, dropout=0.2),
}
each_model = pytest.mark.parametrize("name", MODELS)


def build(name, window=WINDOW):
    torch.manual_seed(0)
    return MODELS[name](n_in=N_IN, window=window, n_out=N_OUT)


def inputs(n=6, window=WINDOW):
    return torch.randn(n, window, N_IN, generator=torch.Generator().manual_seed(1))


@each_model
@pytest.mark.parametrize("window", [1, 4])
def test_shape_and_gradients(name, window):
    model = build(name, window)
    out = model(inputs(window=window))
    assert out.shape == (6, N_OUT)
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@each_model
def test_training_starts_close_to_the_mean_rate(name):
    out = build(name).eval()(inputs(200))
    assert out.abs().max() < 0.3
    if name in ("glm", "glm-basis", "wiener_cascade"):
        assert out.abs().max() == 0


@each_model
def test_it_can_learn_at_once(name):
    """A small read-out must not mean a dead one: one step of plain descent lowers the cost."""
    model, x = build(name).eval(), inputs(50)
    target = x[:, -1, :1].expand(-1, N_OUT)
    before = (model(x) - target).square().mean()
    before.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.05 * p.grad
    assert (model(x) - target).square().mean() < before


@each_model
def test_rows_do_not_mix(name):
    model, x = build(name).eval(), inputs()
    other = x.clone()
    other[3] += 1
    for p in model.parameters():
        torch.nn.init.normal_(p, generator=torch.Generator().manual_seed(2))
    changed = (model(x) != model(other)).any(1)
    assert changed.tolist() == [False, False, False, True, False, False]


@each_model
def test_every_input_of_the_window_counts(name):
    model = build(name).double().eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3, generator=torch.Generator().manual_seed(2))
    x = inputs(1).double().requires_grad_()
    model(x).sum().backward()
    assert (x.grad != 0).all()


@each_model
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_on_a_cpu(name, half):
    model, x = build(name).eval(), inputs()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3, generator=torch.Generator().manual_seed(2))
    with torch.autocast("cpu", half):
        out = model(x)
    out.float().sum().backward()
    torch.testing.assert_close(out.float(), model(x), rtol=0.05, atol=0.05)
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())


@each_model
def test_float64(name):
    model = build(name).double().eval()
    assert model(inputs().double()).dtype == torch.float64
    torch.testing.assert_close(model(inputs().double()).float(), build(name).eval()(inputs()))


COMPILED = {"glm", "mlp", "gru"}  # one of each kind: a compiler takes its time


@pytest.mark.parametrize(
    "name", [one if one in COMPILED else pytest.param(one, marks=pytest.mark.slow) for one in MODELS]
)
def test_compile_changes_nothing(name):
    model, x = build(name).eval(), inputs()
    torch.testing.assert_close(torch.compile(model, backend="aot_eager")(x), model(x))


@pytest.mark.parametrize("knobs", [{"width": 0}, {"depth": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
@pytest.mark.parametrize("model", [MLP, GRU, LSTM])
def test_a_bad_size_is_refused(model, knobs):
    with pytest.raises(BadInput, match=next(iter(knobs))):
        model(n_in=N_IN, window=WINDOW, n_out=N_OUT, **knobs)


def test_glm_is_a_sum_over_lags_and_inputs():
    model, x = build("glm").double(), inputs().double()
    torch.nn.init.normal_(model.linear.weight)
    torch.nn.init.normal_(model.linear.bias)
    filters = model.linear.weight.view(N_OUT, WINDOW, N_IN)
    with torch.no_grad():
        out = model(x)
    for i in range(len(x)):
        for unit in range(N_OUT):
            slow = model.linear.bias[unit].item()
            for lag in range(WINDOW):
                for signal in range(N_IN):
                    slow += filters[unit, lag, signal].item() * x[i, lag, signal].item()
            assert float(out[i, unit]) == pytest.approx(slow, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("activation", ["relu", "elu", "gelu", "silu", "tanh"])
def test_mlp_knows_its_activations(activation):
    model = MLP(N_IN, N_OUT, WINDOW, activation=activation)
    assert model.hidden[1](torch.tensor(0.7)) == getattr(torch.nn.functional, activation)(torch.tensor(0.7))


def test_mlp_refuses_an_unknown_activation():
    with pytest.raises(BadInput, match="relu"):
        MLP(N_IN, N_OUT, WINDOW, activation="sigmoidal")


def test_mlp_of_depth_one_is_the_12_64_50_network():
    shapes = [tuple(p.shape) for p in MLP(12, 50, width=64, depth=1).parameters()]
    assert shapes == [(64, 12), (64,), (50, 64), (50,)]


def test_gru_equals_its_equations():
    torch.manual_seed(3)
    model, x = GRU(N_IN, WINDOW, N_OUT, width=6).double(), inputs().double()
    rnn = model.recurrent
    h = torch.zeros(len(x), 6, dtype=torch.float64)
    for t in range(WINDOW):
        from_x = (x[:, t] @ rnn.weight_ih_l0.T + rnn.bias_ih_l0).split(6, 1)
        from_h = (h @ rnn.weight_hh_l0.T + rnn.bias_hh_l0).split(6, 1)
        reset, update = torch.sigmoid(from_x[0] + from_h[0]), torch.sigmoid(from_x[1] + from_h[1])
        new = torch.tanh(from_x[2] + reset * from_h[2])
        h = (1 - update) * new + update * h
    torch.testing.assert_close(model(x), h @ model.readout.weight.T + model.readout.bias)


def test_lstm_equals_its_equations():
    torch.manual_seed(3)
    model, x = LSTM(N_IN, WINDOW, N_OUT, width=6).double(), inputs().double()
    rnn = model.recurrent
    h = c = torch.zeros(len(x), 6, dtype=torch.float64)
    for t in range(WINDOW):
        gates = x[:, t] @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + h @ rnn.weight_hh_l0.T + rnn.bias_hh_l0
        entry, forget, cell, leave = gates.split(6, 1)
        c = torch.sigmoid(forget) * c + torch.sigmoid(entry) * torch.tanh(cell)
        h = torch.sigmoid(leave) * torch.tanh(c)
    torch.testing.assert_close(model(x), h @ model.readout.weight.T + model.readout.bias)


def test_wiener_cascade_is_a_polynomial_of_a_filter():
    model, x = WienerCascade(N_IN, WINDOW, N_OUT, degree=4).double(), inputs().double()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.5, generator=torch.Generator().manual_seed(2))
    z, out = model.linear(x.flatten(1)), model(x)
    for i in range(len(x)):
        for j in range(N_OUT):
            slow = sum(float(model.coefficients[k][j]) * float(z[i, j]) ** k for k in range(5))
            assert float(out[i, j]) == pytest.approx(slow, rel=1e-9)
    with pytest.raises(BadInput, match="degree=0"):
        WienerCascade(N_IN, WINDOW, N_OUT, degree=0)


def test_kalman_equals_the_textbook_filter():
    """Predict and update by gain and innovation, in numpy (Kalman 1960)."""
    model, x = Kalman(N_IN, WINDOW, N_OUT, width=5).double(), inputs().double()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.5, generator=torch.Generator().manual_seed(2))
    a, h, d = (p.detach().numpy() for p in (model.transition, model.observation.weight, model.observation.bias))
    q, p0 = ((factor() @ factor().mT).detach().numpy() for factor in (model.noise, model.start))
    assert np.linalg.eigvalsh(q).min() > 0 and np.linalg.eigvalsh(p0).min() > 0 and np.ptp(q) > 0.1
    means, covariance = model.filter(x)
    for i in range(len(x)):
        m, p = np.zeros(5), p0
        for seen in x[i].numpy():
            m, p = a @ m, a @ p @ a.T + np.eye(5)
            gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + q)
            m, p = m + gain @ (seen - h @ m - d), (np.eye(5) - gain @ h) @ p
        np.testing.assert_allclose(means[i].detach(), m, rtol=1e-9)
    np.testing.assert_allclose(covariance.detach(), p, rtol=1e-9)
    torch.testing.assert_close(model(x), means @ model.readout.weight.T + model.readout.bias)
    assert torch.autograd.gradcheck(lambda x: model(x[:2]), inputs(2).double().requires_grad_())
    with pytest.raises(BadInput, match="width=0"):
        Kalman(N_IN, WINDOW, N_OUT, width=0)


def test_a_deep_gru_answers_from_its_top_layer_after_the_present_bin():
    model, x = GRU(N_IN, WINDOW, N_OUT, width=6, depth=3), inputs()
    states, _ = model.recurrent(x)
    torch.testing.assert_close(model(x), model.readout(states[:, -1]))


@pytest.mark.parametrize("model", [MLP, GRU, LSTM])
def test_dropout_acts_in_training_only(model):
    torch.manual_seed(4)
    network, x = model(n_in=N_IN, window=WINDOW, n_out=N_OUT, dropout=0.5), inputs()
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))
