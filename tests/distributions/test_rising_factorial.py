"""The rising factorial against sums, and where lgamma loses its digits."""

import math

import pytest
import torch

from dlthink.distributions.rising_factorial import (
    log_rising_factorial,
    rising_factorial_slopes,
    rising_factorial_table,
)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 6e-7), (torch.float64, 5e-15)])
@pytest.mark.parametrize("k", [0, 1, 2, 7, 300, 10_000])
def test_equals_the_sum(k, dtype, tolerance):
    a = torch.tensor(
        [1e-9 if dtype == torch.float32 else 1e-14, 1e-8, 1e-6, 1e-4, 1e-2, 0.3, 1.0, 50.0, 1e5], dtype=dtype
    )
    count = torch.tensor(float(k), dtype=dtype)
    value, slope = rising_factorial_slopes(a, count)
    assert value.dtype == dtype and torch.equal(value, log_rising_factorial(a, count))
    for each, found, steep in zip(a.tolist(), value.tolist(), slope.tolist(), strict=True):
        expected = math.fsum(math.log1p(each * j) for j in range(k))
        assert found == pytest.approx(expected, rel=2 * tolerance, abs=tolerance * max(1, k))
        derivative = math.fsum(each * j / (1 + each * j) for j in range(k))
        assert steep == pytest.approx(derivative, rel=2 * tolerance, abs=tolerance * max(1, k))


def test_added_up_for_all_counts_it_is_the_same():
    a, k = torch.tensor([1e-8, 1e-3, 0.3, 1.0, 3e3], dtype=torch.float64), torch.arange(32.0, dtype=torch.float64)
    found, expected = rising_factorial_table(a, k[:, None]), rising_factorial_slopes(a, k[:, None])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_count_need_not_be_whole():
    value = log_rising_factorial(torch.tensor(0.7, dtype=torch.float64), torch.tensor(2.5, dtype=torch.float64))
    r = 1 / 0.7
    assert float(value) == pytest.approx(math.lgamma(2.5 + r) - math.lgamma(r) - 2.5 * math.log(r), rel=1e-13)


def test_nothing_is_left_of_lgamma_where_this_is_exact():
    r, k = torch.tensor(1e6), torch.tensor(3.0)
    naive = torch.lgamma(r + k) - torch.lgamma(r) - k * r.log()
    exact = math.log1p(1e-6) + math.log1p(2e-6)
    assert abs(float(naive) - exact) > 0.1
    assert float(log_rising_factorial(1 / r, k)) == pytest.approx(exact, abs=1e-6)
