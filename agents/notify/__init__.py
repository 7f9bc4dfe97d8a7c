"""Tells people what needs them: a pure part says what to whom and when, a process around it reads and sends."""
