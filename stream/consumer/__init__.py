"""Reading with Faust: record batches, the readers of partitions, and source feeds."""
