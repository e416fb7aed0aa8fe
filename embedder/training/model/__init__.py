"""The network in training: losses, class centers, optimizers, schedules.

In: batches.
Out: losses, and the network that is trained.
May import: foundation, embedder.networks, embedder.training, embedder.training.data.
"""
