"""Wrong moving averages: what each property must see."""


def wrong_sign(low, high, x, c):
    number = type(low)(c)
    return low - number * (x.min() - low), high - number * (x.max() - high)


def two_products(low, high, x, c):
    number = type(low)(c)
    return (1 - number) * low + number * x.min(), (1 - number) * high + number * x.max()


def weight_is_decay(low, high, x, c):
    number = type(low)(1 - c)
    return low + number * (x.min() - low), high + number * (x.max() - high)


def high_only(low, high, x, c):
    return low, high + type(low)(c) * (x.max() - high)


def averaged(x, c, low, high):
    number = x.dtype.type(c)
    for batch in x:
        low, high = low + number * (batch.min() - low), high + number * (batch.max() - high)
    return low, high


def from_zero(x, c):
    return averaged(x, c, x.dtype.type(0), x.dtype.type(0))


def last_first(x, c):
    return averaged(x[::-1], c, x[-1].min(), x[-1].max())


def never_narrower(x, c):
    return min(x.min(), x.dtype.type(-6)), max(x.max(), x.dtype.type(6))


# property: (convention, wrong implementation)
PLANTED = {
    "lies_between": ("torch", wrong_sign),
    "stays_where_it_is": ("torch", two_products),
    "more_weight_moves_further": ("torch", weight_is_decay),
    "mirrors": ("torch", high_only),
    "lies_among_all": ("torch", from_zero),
    "forgets_at_full_weight": ("torch", last_first),
    "stays_at_equal_batches": ("torch", never_narrower),
}
