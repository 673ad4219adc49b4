"""What is proposed in place of a word that is not there."""

from dlthink.did_you_mean import hint


def test_the_nearest_or_all_or_as_many_as_a_line_holds():
    assert hint("MSE", ["mse", "mae"]) == "; did you mean mse?"
    assert hint("q", ["two words", "_own", "b"]) == "; there is b, two words"
    assert hint("q", []) == ""
    many = hint("q", [f"word{i:03d}" for i in range(60)])
    assert many.startswith("; there is word000, word001, ") and many.endswith(", word021 and 38 more")
    assert hint("q", ["x" * 300, "y" * 300]) == f"; there is {'x' * 300} and 1 more"
