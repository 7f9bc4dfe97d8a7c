"""Intake: reads what producers publish, and writes to the ledger what happened."""
