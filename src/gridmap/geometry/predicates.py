"""The side of a line a point lies on, decided exactly for any doubles."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Values = NDArray[np.float64]
Signs = NDArray[np.int8]

_EPSILON = 2.0**-53
#: Rounding bound of the plain determinant, Shewchuk 1997, "ccwerrboundA".
_BOUND = (3 + 16 * _EPSILON) * _EPSILON
#: Below this the error of a product may be lost.
_UNDERFLOW = 1e-280
_SPLITTER = 2.0**27 + 1


def orientation(a: Points, b: Points, c: Points) -> Signs:
    r"""Sign of the turn from ``a`` over ``b`` to ``c``.

    .. math:: \operatorname{sign}\,[(a_x-c_x)(b_y-c_y)-(a_y-c_y)(b_x-c_x)]

    A floating-point filter settles nearly all (Shewchuk, *Adaptive Precision Floating-Point Arithmetic*, 1997); what it
    leaves open is computed with error-free products (Dekker 1971), and the rest as fractions.

    Parameters
    ----------
    a, b, c : (n, 2) float64, any plane

    Returns
    -------
    (n,) int8: 1 where ``c`` lies left of the line from ``a`` to ``b``, -1 right, 0 on it
    """
    ac, bc = a - c, b - c
    left, right = ac[:, 0] * bc[:, 1], ac[:, 1] * bc[:, 0]
    determinant = left - right
    signs = np.sign(determinant).astype(np.int8)
    size = np.abs(left) + np.abs(right)
    # Not greater, rather than less or equal: NaN stays open too.
    is_open = np.flatnonzero(~((np.abs(determinant) > _BOUND * size) & (size > _UNDERFLOW)))
    if len(is_open):
        signs[is_open] = _settle(a[is_open], b[is_open], c[is_open])
    return signs


def _settle(a: Points, b: Points, c: Points) -> Signs:
    ac, bc = a - c, b - c
    exact_differences = (_tail(a, c, ac) == 0).all(axis=1) & (_tail(b, c, bc) == 0).all(axis=1)
    left, left_error = _product(ac[:, 0], bc[:, 1])
    right, right_error = _product(ac[:, 1], bc[:, 0])
    # The products are close where the filter fails, so their difference is exact; the errors' need not be.
    error = left_error - right_error
    determinant = (left - right) + error
    is_certain = (np.abs(determinant) > 4 * _EPSILON * np.abs(error)) | ((left == right) & (error == 0))
    settled = exact_differences & is_certain & _is_normal(left, ac[:, 0], bc[:, 1])
    settled &= _is_normal(right, ac[:, 1], bc[:, 0])
    signs = np.sign(determinant).astype(np.int8)
    for row in np.flatnonzero(~settled):
        signs[row] = _as_fractions(a[row], b[row], c[row])
    return signs


def _tail(minuend: Points, subtrahend: Points, difference: Points) -> Points:
    """Return the rounding error of a difference (Knuth's two-sum)."""
    back = minuend - difference
    return (minuend - (difference + back)) + (back - subtrahend)


def _is_normal(product: Values, x: Values, y: Values) -> NDArray[np.bool_]:
    """Whether a product and its error cannot have underflown."""
    return np.asarray((np.abs(product) > _UNDERFLOW) | (x == 0) | (y == 0))


def _product(x: Values, y: Values) -> tuple[Values, Values]:
    """Product and its rounding error."""
    product = x * y
    x_high = _SPLITTER * x - (_SPLITTER * x - x)
    y_high = _SPLITTER * y - (_SPLITTER * y - y)
    x_low, y_low = x - x_high, y - y_high
    error = ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low
    return product, error


def _as_fractions(a: Points, b: Points, c: Points) -> int:
    (ax, ay), (bx, by), (cx, cy) = ([Fraction(float(value)) for value in point] for point in (a, b, c))
    determinant = (ax - cx) * (by - cy) - (ay - cy) * (bx - cx)
    return (determinant > 0) - (determinant < 0)
