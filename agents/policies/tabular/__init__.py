"""Q-learning on tables: full feedback, half feedback, and the classic rule."""
