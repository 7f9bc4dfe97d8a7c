"""CSV files to events: a shop's history, a planner's terms, a warehouse's counts, each with a report on the data."""
