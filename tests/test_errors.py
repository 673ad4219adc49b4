"""How a refusal is said: one line, that can be read to its end."""

from dlthink.errors import BadInput, in_a_line


def test_a_value_without_end_is_cut_in_its_middle():
    line, code = in_a_line(BadInput(f"seed={'12345' * 800}: must be below 2^63"))
    assert code == 2 and line.startswith("dlthink: seed=12345") and line.endswith("12345: must be below 2^63")
    assert "..." in line and len(line) < 300


def test_a_path_that_can_be_typed_stands_whole():
    path = "/".join(["a folder's name of 30 letters."] * 9).replace(" ", "_")
    assert in_a_line(BadInput(f"{path}: no such file"))[0] == f"dlthink: {path}: no such file"
    assert in_a_line(BadInput("one\ntwo"))[0] == "dlthink: one two"
