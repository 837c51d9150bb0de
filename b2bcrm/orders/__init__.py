"""The middle of the house: a customer's order, its lines, and its life.

Read ``lifecycle.py`` first (states, acts, who may), then ``actions.py`` (what each act does),
then ``b2bcrm/bootstrap.py`` (what follows from each event). Not here: where dates come from
(``fulfillment`` behind ``ports.promise``), what was offered (``quotes``). Events that leave:
see ``events.py``.
"""
