"""What people decide about faces, kept for ever, and what follows from it.

Nothing is imported here; take what is wanted from ``people.store`` and its neighbours.
"""
