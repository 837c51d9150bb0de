"""Words that two or more features need: exact amounts, dates, errors, events, the Work.

Knows no feature, no Flask, no ERP.
"""
