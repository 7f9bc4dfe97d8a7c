"""Forecasting: pure, from closed periods to the distribution of coming demand; one file and one registry line each."""
