"""Training the network with softmax, center, triplet or angular-margin losses; imported only when a run begins."""
