"""Papers and mails: what leaves the house as PDF or as a message, in the reader's language.

Here: the template environment (no Flask), contents as frozen values, PDF rendering with closed
fetching, and mail composition. Not here: any SELECT, sending (ports.mail), pages.
"""
