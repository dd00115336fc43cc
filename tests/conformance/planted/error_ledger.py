"""Wrong ledgers: what each property must see."""

from itertools import pairwise

import numpy as np

from refcompress.conformance.properties.error_ledger import of_codes
from refcompress.formulas.quantization import error_ledger


def without_a_grid(*stages):
    """Right but for the last bits of the sum."""
    e = stages[-1] - stages[0]
    parts = [float(((b - a) * e).sum()) for a, b in pairwise(stages)]
    return (*parts, float((e * e).sum()))


def rest_in_the_last(*stages):
    parts = [((b - a) ** 2).sum() for a, b in pairwise(stages)][:3]
    total = ((stages[-1] - stages[0]) ** 2).sum()
    return (*parts, total - sum(parts), total)


def magnitudes(*stages):
    e = stages[-1] - stages[0]
    parts = [np.abs((b - a) * e).sum() ** 0.5 for a, b in pairwise(stages)]
    return (*parts, sum(parts))


def means(*stages):
    return tuple(part / len(stages[0]) for part in error_ledger.ledger(*stages))


def stage_by_stage(*stages):
    errors = [((stage - stages[0]) ** 2).sum() for stage in stages]
    return (*(b - a for a, b in pairwise(errors)), errors[-1])


def squares_beside_the_total(x, scale, zero_point, qmin, qmax, stored_scale, output):
    parts = of_codes("codes_kept")(x, scale, zero_point, qmin, qmax, stored_scale, output)
    return (*map(abs, parts[:4]), parts.total)


def bfloat16_scale(x, scale, zero_point, qmin, qmax, stored_scale, output):
    stored_scale = np.float32(stored_scale * 1.0078125)
    return of_codes("codes_kept")(x, scale, zero_point, qmin, qmax, stored_scale, output)


def highest_code_not_used(x, scale, zero_point, qmin, qmax, stored_scale, output):
    q = np.clip(np.rint(x / scale) + zero_point, qmin, max(qmax - 1, qmin))
    back = ((q - zero_point) * scale).astype(np.float32)
    return error_ledger.ledger(x, back, back, back, back)


def power(x):
    return np.square(x.astype(np.float64)).sum()


def of_amplitudes(x, restored):
    return error_ledger.sqnr(x, restored) / 2


def of_the_restored(x, restored):
    return 10 * np.log10((power(restored) + 1e-30) / power(x - restored))


def with_epsilon(x, restored):
    return 10 * np.log10(power(x) / (power(x - restored) + 1e-12))


# property: (convention, wrong implementation)
PLANTED = {
    "sums_to_the_total": ("default", without_a_grid),
    "charges_only_steps": ("default", rest_in_the_last),
    "is_quadratic": ("default", magnitudes),
    "adds_over_weights": ("default", means),
    "follows_the_steps": ("default", stage_by_stage),
    "parts_of_codes_sum": ("codes_kept", squares_beside_the_total),
    "charges_only_losses": ("codes_kept", bfloat16_scale),
    "is_free_on_the_codes": ("codes_kept", highest_code_not_used),
    "is_zero_for_no_signal": ("default", of_the_restored),
    "gains_six_decibels_a_bit": ("default", of_amplitudes),
    "knows_no_unit": ("default", with_epsilon),
    "is_infinite_without_noise": ("default", with_epsilon),
}
