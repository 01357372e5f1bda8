"""Whether a text tells a figure: identifiers, hashes and moments are full of digits too and say any four by chance."""

import re


def tells(text: str, figure: str) -> bool:
    """Is there a number in the text that begins with the figure, and is not part of an identifier or of a moment?

    `4711` is told by `4711.00`, `471100` and `价格4711元`, and not by `fc54711051`, `-4711-` or `12:30:50.471112`.
    """
    return re.search(rf"(?<![\w.\-]){re.escape(figure)}\d*(?![\w\-])", text, re.ASCII) is not None
