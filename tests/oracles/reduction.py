"""Oracle for the readings of a neuron's gradient g_i(t): plain loops over exact fractions."""

from fractions import Fraction

from tests.oracles.stability import mean, root, std, variance


def neuron_gradients(dW, db, reduce):
    """One float per neuron: its weights' and bias's gradients of one iteration, reduced."""
    result = []
    for i in range(len(dW)):
        values = [Fraction(float(value)) for value in dW[i].ravel()]
        if db is not None:
            values.append(Fraction(float(db[i])))
        if reduce == "bias":
            result.append(float(db[i]))
        elif reduce == "l2":
            result.append(root(sum(value * value for value in values)))
        elif reduce == "sum":
            result.append(float(sum(values)))
        elif reduce == "mean":
            result.append(float(sum(values) / len(values)))
        elif reduce == "mean_abs":
            result.append(float(sum(abs(value) for value in values) / len(values)))
        else:
            raise AssertionError(reduce)
    return result


def rms_of_parameter_moments(W_moments, b_moments):
    """One float per neuron: the root of the mean square over its weights and bias."""
    result = []
    for i in range(len(W_moments)):
        squares = [Fraction(float(value)) ** 2 for value in W_moments[i].ravel()]
        if b_moments is not None:
            squares.append(Fraction(float(b_moments[i])) ** 2)
        result.append(root(sum(squares) / len(squares)))
    return result


def rms_of_norms(norms, parameters):
    """One float per neuron: the root of its norm's square over its number of parameters."""
    return [root(Fraction(float(norm)) ** 2 / parameters) for norm in norms]


def stability(dW_steps, db_steps, reduce, ddof=0):
    """(mean, std) of every neuron over the iterations, for every reading of g_i(t); db_steps may hold None."""
    if reduce != "rms_of_parameter_moments":
        rows = [neuron_gradients(dW, db, reduce) for dW, db in zip(dW_steps, db_steps, strict=True)]
        return [float(value) for value in mean(rows)], std(rows, ddof)
    neurons = len(dW_steps[0])
    means, stds = [], []
    for i in range(neurons):
        rows = []
        for dW, db in zip(dW_steps, db_steps, strict=True):
            rows.append([*dW[i].ravel()] + ([] if db is None else [db[i]]))
        parameter_means, parameter_variances = mean(rows), variance(rows, ddof)
        means.append(root(sum(value * value for value in parameter_means) / len(parameter_means)))
        stds.append(root(sum(parameter_variances) / len(parameter_variances)))
    return means, stds
