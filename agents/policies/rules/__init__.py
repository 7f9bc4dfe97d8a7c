"""Fixed rules: what a buyer or a textbook would do, without learning."""
