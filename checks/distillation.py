"""DST: teacher and student."""
