"""Items, families, bills of material with routings, work centres and price lists.

All of it is the ERP's; this is our read copy. Not here: stock and orders of supply
(fulfillment), what a customer pays (quotes.pricing).
"""
