"""The network in training: the weights it starts from, losses, class centers, optimizers, schedules.

In: batches.
Out: losses, and the network that is trained.
May import: foundation, embedder.runtime, embedder.networks, embedder.training, embedder.training.data.
"""
