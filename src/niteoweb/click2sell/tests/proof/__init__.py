"""Proof that no purchase is lost and no access wrong: histories, faults, killed processes.

``CLICK2SELL_EXAMPLES=10`` tries ten times as many made-up histories.
"""
