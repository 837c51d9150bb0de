"""After-sales cases tied to an order line, with answer and solve clocks.

Not here: messages (threads), the service calendar's arithmetic (kernel.calendar).
"""
