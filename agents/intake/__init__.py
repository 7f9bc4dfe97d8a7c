"""Intake: from what producers published to what happened, written to the ledger."""
