r"""Bank line numbers (支付行号): twelve digits, the last of which checks the others.

Three digits of the bank, four of the city, four of the branch, and the check digit :math:`c` of ISO/IEC 7064,
MOD 11,10 (the hybrid system with one check digit): from :math:`p_0 = 10`,

.. math::
    s_j = (p_{j-1} + a_j) \bmod 10, \qquad p_j = 2\,(s_j \text{ or } 10 \text{ where it is } 0) \bmod 11,

and :math:`(p_{11} + c) \bmod 10 = 1`. Every single wrong digit shows, and nearly every swap of two neighbours.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[0-9]{12}")
_ALL_BUT_CHECK = re.compile(r"[0-9]{11}")


def valid_line_number(text: str) -> bool:
    """Whether a text is twelve digits (nothing else, leading zeros kept) that end in their check digit.

    >>> valid_line_number("102100099996"), valid_line_number("102100099969")
    (True, False)
    """
    return _NUMBER.fullmatch(text) is not None and check_digit(text[:-1]) == text[-1]


def check_digit(first_eleven: str) -> str | None:
    """Check digit of the first eleven digits of a line number; None where they are not eleven digits.

    >>> check_digit("10210009999")
    '6'
    """
    if _ALL_BUT_CHECK.fullmatch(first_eleven) is None:
        return None
    product = 10
    for digit in first_eleven:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
