"""Staff pages that show more than one feature: one module per page, its templates beside it.

A page reads through the features' queries and renders; acts are posted to the features' own
views. Not here: rules, SELECTs, writes.
"""
