"""The customer's window: one module per page, larger type, paper instead of ink.

Every query starts from the signed-in buyer's account. Never shown: cost, margin, suppliers'
names, other customers, internal causes and notes.
"""
