"""That no purchase is lost and no access wrong: whole histories, faults, processes that die.

``CLICK2SELL_EXAMPLES=10`` tries ten times as many made-up histories.
"""
