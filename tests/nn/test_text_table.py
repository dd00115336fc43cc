import pytest

from refcompress.nn.text_table import columns


def test_columns():
    rows = [("layer", "kind", "MACs"), ("a", "", "7"), ("conv10", "Conv2d", "1,234,567")]
    assert columns(rows, left=2) == (
        "layer   kind         MACs\n"
        "a                       7\n"
        "conv10  Conv2d  1,234,567"
    )  # fmt: skip


def test_no_spaces_at_the_end():
    assert columns([("name", "text"), ("a", "long text"), ("b", "")], left=2) == "name  text\na     long text\nb"


def test_rows_of_different_lengths():
    with pytest.raises(ValueError, match="zip"):
        columns([("a", "b"), ("c",)], left=1)
