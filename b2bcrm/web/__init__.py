"""The edge to the browser: requests become Works, errors become pages, values become text.

Here: the ``in_work`` decorator, sign-in cookie, the route-to-role table, CSRF and security
headers, errors, paging, exports, forms, live pages, languages, layout and components. Not here:
any feature, any page of one, and any SELECT; this package knows only ``kernel`` and ``ports``.
"""
