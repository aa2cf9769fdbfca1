"""The few figures an operator needs of every service; no label grows with people or batches."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS_APPLIED = Counter("rollcall_records_applied_total", "Records folded", ["topic"])
POLL_SECONDS = Histogram("rollcall_poll_seconds", "A poll, from its records to its commit")
LAG = Gauge("rollcall_lag_records", "Records not yet folded", ["topic", "partition"])
DEAD_LETTERS = Counter("rollcall_dead_letters_total", "Records that were not ours", ["topic"])
QUARANTINED = Counter("rollcall_quarantined_batches_total", "Batches that could not be applied")
FENCED = Counter("rollcall_fenced_total", "Partitions found to be read by another instance")
OUTBOX_DEPTH = Gauge("rollcall_outbox_depth", "Events waiting for the broker")
PUBLISHED = Counter("rollcall_published_total", "Events acknowledged by the broker", ["topic"])
RETRIES = Counter("rollcall_retries_total", "Transactions tried again", ["what"])
