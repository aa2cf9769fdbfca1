"""How soon everyone on a long list is with the scheduler, from the request that brings them."""

import time

from tests.bench.checking import bare_seconds
from tests.bench.figure import Figure
from tests.bench.lists import csv_of, numbers_of_many_countries
from tests.bench.sizes import Size
from tests.house import House, until

LANDED = """
    SELECT coalesce(bool_and(landed = chunks), false) FROM additions WHERE batch_id = '{}'
"""


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=1)
    rows = csv_of(numbers_of_many_countries(size.uploaded_rows))
    bare = bare_seconds(rows)
    began = time.monotonic()
    answer = house.upload(rows, start=False)
    answer.raise_for_status()
    taken = time.monotonic() - began
    landed = LANDED.format(answer.json()["batch_id"])
    until(lambda: bool(house.moment("scheduler", landed)), "all chunks landed", size.patience)
    seconds = time.monotonic() - began
    beside = "csv.DictReader, parse and is_valid_number"
    return [
        Figure(
            f"{size.uploaded_rows:,} recipients, request to answer",
            size.uploaded_rows / taken,
            "rows/s",
            size.uploaded_rows / bare,
            beside,
        ),
        Figure(
            f"{size.uploaded_rows:,} recipients, request to all landed",
            size.uploaded_rows / seconds,
            "rows/s",
            size.uploaded_rows / bare,
            beside,
        ),
    ]
