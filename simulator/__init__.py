"""A phone network that remembers every ring: the oracle by which what we dial is judged.

It imports nothing of ours.  What it rang stands in its ledger before the caller hears of it.
"""
