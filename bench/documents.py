"""A quote's PDF, cold (a fresh process) and warm, and the memory it takes."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

COLD = "from bench.documents import render; render()"
WARM_RUNS = 5


def render() -> int:
    """One quote of 20 lines in Traditional Chinese; answers its size in bytes."""
    import datetime as dt
    from decimal import Decimal

    from b2bcrm.documents.contents import Customer, Firm, Line, QuoteContent, Terms
    from b2bcrm.documents.papers import quote_pdf

    day = dt.date(2026, 11, 17)
    lines = tuple(
        Line(
            line_no=10 * n,
            item_no=f"PG-{n:04d}",
            name="行星減速機",
            name_second="Planetary gearbox",
            qty=Decimal(10 * n),
            unit="pcs",
            unit_price=Decimal("762.00"),
            net=Decimal("7620.00") * n,
            wanted_on=day,
            ready_on=day,
        )
        for n in range(1, 21)
    )
    content = QuoteContent(
        no="Q-26-2217",
        revision="C",
        language="zh_Hant",
        issued_on=day,
        valid_until=day,
        currency="USD",
        firm=Firm(name="福爾摩沙精密傳動股份有限公司", name_second="Formosa Precision Drives"),
        customer=Customer(name="啟業工具機"),
        lines=lines,
        terms=Terms(incoterm="FCA", incoterm_place="Taichung", payment="NET30"),
        total=sum((line.net for line in lines), Decimal(0)),
    )
    return len(quote_pdf(content, "0" * 64))


def measure() -> None:
    """Print the table."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", COLD], check=True)
    cold = time.perf_counter() - start
    render()
    start = time.perf_counter()
    for _ in range(WARM_RUNS):
        size = render()
    warm = (time.perf_counter() - start) / WARM_RUNS
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\n{'quote PDF, 20 lines':<24}{'seconds':>9}")
    print(f"{'cold process':<24}{cold:>9.2f}   peak {peak:.0f} MB")
    print(f"{'warm':<24}{warm:>9.2f}   {size / 1000:.0f} kB")
