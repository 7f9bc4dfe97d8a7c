"""A champion under the eyes of a baseline: what each would have cost, and who acts."""
