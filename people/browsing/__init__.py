"""Browsing: photos a page at a time with what stands before and after them, and when a person was photographed.

In: a workspace's decisions, what photos shall be like.
Out: `PhotoPage`, `Neighbours`, `Months`: what a screen shows of a list, however long that is.
May import: people.store, classifiers.scores.
"""
