"""The source's network, trained side by side with PyTorch in float64: the same weights after the same steps."""

import numpy as np
import pytest

from refcompress import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: python -m pip install torch==2.13.0")
pytestmark = pytest.mark.crosscheck


def twin(network):
    """The listing's network as the source writes it, with our initial weights."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(32, 64, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AvgPool2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(64 * 8 * 8, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    ).double()
    names = dict(zip(("0", "2", "6", "8"), ("conv1", "conv2", "fc1", "fc2"), strict=True))
    state = network.state()
    model.load_state_dict({key: torch.from_numpy(state[f"{names[key[0]]}.{key[2:]}"]) for key in model.state_dict()})
    return model


def test_three_steps_of_the_listing_network():
    rng = np.random.default_rng(0)
    ours = nn.networks.listing(rng, dtype=np.float64)
    theirs = twin(ours)
    x, y = rng.random((3, 5, 1, 32, 32)), rng.integers(0, 10, (3, 5))
    sgd, peer = nn.SGD(0.01, momentum=0.9), torch.optim.SGD(theirs.parameters(), lr=0.01, momentum=0.9)
    for images, labels in zip(x, y, strict=True):
        epoch = nn.fit(ours, images, labels, optimizer=sgd, epochs=1, batch_size=5, rng=np.random.default_rng(1))
        peer.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(torch.from_numpy(images)), torch.from_numpy(labels))
        loss.backward()
        peer.step()
        # the order of sums differs; about 4096 terms of size 1 in float64 leave 12 digits
        assert epoch[0].loss == pytest.approx(loss.item(), rel=1e-12)
    for own, tensor in zip(ours.parameters().values(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(own, tensor.detach().numpy(), rtol=1e-10, atol=1e-12)
