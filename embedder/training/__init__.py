"""Training the network with softmax, center, triplet or angular-margin losses; imported only when a run begins.

In: a folder of aligned faces and `TrainingSettings`.
Out: a run folder, which is a preset.
May import: foundation.
"""
